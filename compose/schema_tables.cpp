#include "compose/schema_tables.hpp"

#include <utility>

namespace skep::compose {
namespace {

using Names = ObjectType::Names;
using KeyTypes = std::vector<KeyType>;

constexpr Since from(int minor) { return {minor, 99}; }
constexpr Since until(int minor) { return {0, minor}; }

Type scalar(unsigned kinds, std::string_view expected) {
  Type type;
  type.scalars = kinds;
  type.expected = expected;
  return type;
}
Type text() { return scalar(Type::kString, "string"); }
Type integer() { return scalar(Type::kInteger, "integer"); }
Type number() { return scalar(Type::kNumber, "number"); }
Type boolean() { return scalar(Type::kBoolean, "boolean"); }
Type text_or_number() { return scalar(Type::kString | Type::kNumber, "string or number"); }
Type text_number_or_null() {
  return scalar(Type::kString | Type::kNumber | Type::kNull, "string, number or null");
}
Type duration() {
  auto type = text();
  type.format = Type::Format::duration;
  return type;
}
Type one_of(std::vector<std::string_view> words) {
  auto type = text();
  type.words = std::move(words);
  return type;
}

Type list_of(Type item, bool unique = false) {
  Type type;
  type.expected = "list";
  type.list = std::make_shared<const ListType>(ListType{std::move(item), unique});
  return type;
}
Type set_of(Type item) { return list_of(std::move(item), true); }
Type texts() { return set_of(text()); }

Type object(ObjectType content) {
  Type type;
  type.expected = "mapping";
  type.object = std::make_shared<const ObjectType>(std::move(content));
  return type;
}
Type closed(KeyTypes keys) { return object({.keys = std::move(keys)}); }
Type open(KeyTypes keys) { return object({.keys = std::move(keys), .open = true}); }
/// KeyTypes of any spelling, or of the spelling that `names` says, with values of one type.
Type mapping_to(Type value, Names names = Names::any) {
  return object({.others = std::make_shared<const Type>(std::move(value)), .names = names});
}
Type section_of(Type value) { return mapping_to(std::move(value), Names::object_name); }

/// The first alternative's name is the one that the CLI shows, unless `expected` says otherwise.
Type either(Type first, const Type& second, std::string_view expected = "") {
  first.scalars |= second.scalars;
  if (second.list) first.list = second.list;
  if (second.object) first.object = second.object;
  if (second.format != Type::Format::none) first.format = second.format;
  if (!expected.empty()) first.expected = expected;
  return first;
}
Type or_null(Type type, std::string_view expected = "") {
  return either(std::move(type), scalar(Type::kNull, ""), expected);
}

Type one_or_more_texts() { return either(text(), texts()); }
/// Duplicates are fine in a command, and numbers are not.
Type command() { return either(text(), list_of(text())); }
/// A mapping to scalars (booleans are none here), or a list of KEY=VALUE.
Type pairs() { return either(mapping_to(text_number_or_null(), Names::not_empty), texts()); }
Type options() { return mapping_to(text_or_number()); }
Type external() { return either(boolean(), closed({{"name", text()}}), "boolean or mapping"); }
Type external_open() { return either(boolean(), open({{"name", text()}}), "boolean or mapping"); }

Type build_until_3_10() {
  return either(
      text(),
      closed({
          {"context", text()},
          {"dockerfile", text()},
          {"args", pairs()},
          {"cache_from", texts(), from(2)},
          {"labels", pairs(), from(3)},
          {"target", text(), from(4)},
          {"network", text(), from(4)},
          {"shm_size", scalar(Type::kInteger | Type::kString, "integer or string"), from(5)},
          {"extra_hosts", pairs(), from(9)},
      }));
}
Type build() {
  return either(text(),
                open({
                    {"context", text()},
                    {"dockerfile", text()},
                    {"args", pairs()},
                    {"cache_from", texts()},
                    {"labels", pairs()},
                    {"target", text()},
                    {"network", text()},
                    {"shm_size", scalar(Type::kInteger | Type::kString, "integer or string")},
                    {"extra_hosts", pairs()},
                }));
}

Type ports_until_3_1() {
  auto item = text_or_number();
  item.format = Type::Format::ports;
  return set_of(item);
}
Type ports() {
  auto item = either(number(), text());
  item.format = Type::Format::ports;
  return set_of(either(item,
                       closed({
                           {"mode", text()},
                           {"target", integer()},
                           {"published", integer()},
                           {"protocol", text()},
                       })));
}

Type volumes() {
  auto size = integer();
  size.not_negative = true;
  return list_of(either(text(),
                        object({.keys =
                                    {
                                        {"type", text()},
                                        {"source", text()},
                                        {"target", text()},
                                        {"read_only", boolean()},
                                        {"consistency", text()},
                                        {"bind", open({{"propagation", text()}})},
                                        {"volume", open({{"nocopy", boolean()}})},
                                        {"tmpfs", open({{"size", size}}), from(6)},
                                    },
                                .required = {"type"}})));
}

/// A service's use of a config or secret.
Type references() {
  return list_of(either(text(),
                        open({
                            {"source", text()},
                            {"target", text()},
                            {"uid", text()},
                            {"gid", text()},
                            {"mode", number()},
                        })));
}

Type service_networks() {
  const auto network = or_null(closed({
      {"aliases", texts()},
      {"ipv4_address", text()},
      {"ipv6_address", text()},
      {"driver_opts", options(), from(13)},
  }));
  return either(texts(), section_of(network));
}

Type ulimits() {
  const auto pair =
      object({.keys = {{"soft", integer()}, {"hard", integer()}}, .required = {"soft", "hard"}});
  return mapping_to(either(integer(), pair), Names::lower_letters);
}

Type healthcheck() {
  return closed({
      {"disable", boolean()},
      {"test", command()},
      {"interval", text(), until(3)},
      {"interval", duration(), from(4)},
      {"timeout", text(), until(3)},
      {"timeout", duration(), from(4)},
      {"retries", number()},
      {"start_period", duration(), from(4)},
      {"start_interval", duration(), from(12)},
  });
}

Type rollout() {
  return closed({
      {"parallelism", integer()},
      {"delay", duration()},
      {"monitor", duration()},
      {"failure_action", text()},
      {"max_failure_ratio", number()},
      {"order", one_of({"start-first", "stop-first"}), from(4)},
  });
}

Type resources() {
  const auto generic = closed({
      {"discrete_resource_spec", closed({{"kind", text()}, {"value", number()}})},
  });
  return closed({
      {"limits", closed({{"cpus", text()}, {"memory", text()}, {"pids", integer(), from(9)}})},
      {"reservations",
       closed({
           {"cpus", text()},
           {"memory", text()},
           {"generic_resources", list_of(generic), from(5)},
       })},
  });
}

Type deploy() {
  return or_null(closed({
                     {"mode", text()},
                     {"endpoint_mode", text(), from(2)},
                     {"replicas", integer()},
                     {"labels", pairs()},
                     {"update_config", rollout()},
                     {"rollback_config", rollout(), from(7)},
                     {"resources", resources()},
                     {"restart_policy",
                      closed({
                          {"condition", text()},
                          {"delay", duration()},
                          {"window", duration()},
                          {"max_attempts", integer()},
                      })},
                     {"placement",
                      closed({
                          {"constraints", list_of(text())},
                          {"preferences", list_of(closed({{"spread", text()}})), from(3)},
                          {"max_replicas_per_node", integer(), from(8)},
                      })},
                 }),
                 "mapping or null");
}

Type service() {
  return object(
      {.keys =
           {
               {"build", build_until_3_10(), until(10)},
               {"build", build(), from(11)},
               {"cap_add", texts()},
               {"cap_drop", texts()},
               {"cgroup_parent", text()},
               {"cgroupns_mode", text(), from(9)},
               {"command", command()},
               {"configs", references(), from(3)},
               {"container_name", text()},
               {"credential_spec",
                closed({{"config", text(), from(8)}, {"file", text()}, {"registry", text()}}),
                from(3)},
               {"depends_on", texts()},
               {"deploy", deploy()},
               {"devices", texts()},
               {"dns", one_or_more_texts()},
               {"dns_search", one_or_more_texts()},
               {"domainname", text()},
               {"entrypoint", command()},
               {"env_file", one_or_more_texts()},
               {"environment", pairs()},
               {"expose", set_of(text_or_number())},
               {"external_links", texts()},
               {"extra_hosts", pairs()},
               {"healthcheck", healthcheck()},
               {"hostname", text()},
               {"image", text()},
               {"init", boolean(), from(7)},
               {"ipc", text()},
               {"isolation", text(), from(5)},
               {"labels", pairs()},
               {"links", texts()},
               {"logging",
                closed({{"driver", text()}, {"options", mapping_to(text_number_or_null())}})},
               {"mac_address", text()},
               {"network_mode", text()},
               {"networks", service_networks()},
               {"oom_score_adj", integer(), from(13)},
               {"pid", or_null(text(), "string or null")},
               {"ports", ports_until_3_1(), until(1)},
               {"ports", ports(), from(2)},
               {"privileged", boolean()},
               {"read_only", boolean()},
               {"restart", text()},
               {"secrets", references(), from(1)},
               {"security_opt", texts()},
               {"shm_size", scalar(Type::kNumber | Type::kString, "number or string")},
               {"stdin_open", boolean()},
               {"stop_grace_period", duration()},
               {"stop_signal", text()},
               {"sysctls", pairs()},
               {"tmpfs", one_or_more_texts()},
               {"tty", boolean()},
               {"ulimits", ulimits()},
               {"user", text()},
               {"userns_mode", text()},
               {"volumes", texts(), until(1)},
               {"volumes", volumes(), from(2)},
               {"working_dir", text()},
           },
       .extensions = from(7)});
}

Type network() {
  return or_null(object({.keys =
                             {
                                 {"name", text(), from(5)},
                                 {"driver", text()},
                                 {"driver_opts", options()},
                                 {"ipam",
                                  closed({
                                      {"driver", text()},
                                      {"config", list_of(closed({{"subnet", text()}}))},
                                  })},
                                 {"external", external()},
                                 {"internal", boolean()},
                                 {"attachable", boolean(), from(2)},
                                 {"labels", pairs()},
                             },
                         .extensions = from(7)}),
                 "mapping or null");
}

Type cluster_volume() {
  const auto segments = list_of(open({{"segments", pairs()}}));
  return open({
      {"group", text()},
      {"access_mode",
       open({
           {"scope", text()},
           {"sharing", text()},
           {"block_volume", open({})},
           {"mount_volume", open({{"fs_type", text()}, {"mount_flags", list_of(text())}})},
       })},
      {"accessibility_requirements", open({{"requisite", segments}, {"preferred", segments}})},
      {"capacity_range", open({{"required_bytes", text()}, {"limit_bytes", text()}})},
      {"availability", text()},
  });
}

Type volume() {
  return or_null(object({.keys =
                             {
                                 {"name", text(), from(4)},
                                 {"driver", text()},
                                 {"driver_opts", options()},
                                 {"external", external()},
                                 {"labels", pairs()},
                                 {"x-cluster-spec", cluster_volume(), from(10)},
                             },
                         .extensions = from(7)}),
                 "mapping or null");
}

Type secret() {
  return object({.keys =
                     {
                         {"name", text(), from(5)},
                         {"file", text()},
                         {"external", external_open()},
                         {"labels", pairs()},
                         {"driver", text(), from(8)},
                         {"driver_opts", options(), from(8)},
                         {"template_driver", text(), from(8)},
                     },
                 .extensions = from(7)});
}

Type config() {
  return object({.keys =
                     {
                         {"name", text(), from(5)},
                         {"file", text()},
                         {"external", external_open()},
                         {"labels", pairs()},
                         {"template_driver", text(), from(8)},
                     },
                 .extensions = from(7)});
}

/// A network whose name is no name passes without a look: the CLI's schema forgets to close it.
Type networks() {
  return object({.others = std::make_shared<const Type>(network()),
                 .names = Names::object_name,
                 .open = true});
}

Type file() {
  return object({.keys =
                     {
                         {"version", text()},
                         {"services", section_of(service())},
                         {"networks", networks()},
                         {"volumes", section_of(volume())},
                         {"secrets", section_of(secret()), from(1)},
                         {"configs", section_of(config()), from(3)},
                     },
                 .extensions = from(4)});
}

}  // namespace

const Type& file_schema() {
  static const Type schema = file();
  return schema;
}

}  // namespace skep::compose
