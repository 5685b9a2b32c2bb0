#include "diff/service_diff.hpp"

#include <type_traits>

#include <gtest/gtest.h>

#include "diff/flatten.hpp"
#include "diff/normalise.hpp"
#include "support.hpp"

namespace skep::diff {
namespace {

using swarm::ServiceSpec;
using testing::box;

/// Changes exactly one place of a value: the n-th, counted over all its fields.
class Mutation {
 public:
  explicit Mutation(int place) : left_(place) {}
  [[nodiscard]] bool done() const { return left_ < 0; }
  [[nodiscard]] const std::string& what() const { return what_; }

  template <typename T>
  void walk(T& value, const std::string& path) {
    if (done()) return;
    if constexpr (swarm::HasFields<T>) {
      T::fields(value, [&](std::string_view name, auto& member, swarm::Presence /*p*/ = {}) {
        walk(member, path + "/" + std::string(name));
      });
    } else if (here(path)) {
      if constexpr (std::is_same_v<T, bool>) {
        value = !value;
      } else if constexpr (std::is_same_v<T, std::string>) {
        value += "x";
      } else {
        value += T{1};
      }
    }
  }
  template <typename T>
  void walk(std::optional<T>& value, const std::string& path) {
    if (done()) return;
    if (here(path + " (presence)")) {
      value ? value.reset() : static_cast<void>(value.emplace());
    } else if (value) {
      walk(*value, path);
    }
  }
  template <typename T>
  void walk(std::vector<T>& list, const std::string& path) {
    if (done()) return;
    if (here(path + " (one more)")) {
      list.emplace_back();
      return;
    }
    if (!list.empty() && here(path + " (one less)")) {
      list.pop_back();
      return;
    }
    if (list.size() > 1 && !(list[0] == list[1]) && here(path + " (order)")) {
      std::swap(list[0], list[1]);
      return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) walk(list[i], path + "/" + std::to_string(i));
  }
  void walk(swarm::StringMap& map, const std::string& path) {
    if (done()) return;
    if (here(path + " (one more)")) {
      map["a/b~c"] = "d";
      return;
    }
    for (auto& [key, value] : map) walk(value, path + "/" + key);
  }

 private:
  bool here(const std::string& path) {
    if (left_-- != 0) return false;
    what_ = path;
    return true;
  }
  int left_;
  std::string what_;
};

ServiceSpec full_spec() {
  auto spec = swarm::read_service_spec(testing::testdata("swarm/e2_create.json")).value();
  auto& container = spec.task_template.container;
  container.groups = {"g1", "g2"};
  container.privileges->credential_spec = swarm::CredentialSpec{"a", "b", "c"};
  container.privileges->selinux_context = swarm::SELinuxContext{true, "u", "r", "t", "l"};
  container.privileges->seccomp = swarm::Seccomp{"custom", "p"};
  container.privileges->app_armor = swarm::AppArmor{"default"};
  container.mounts[0].volume_options->subpath = "s";
  container.mounts[1].image_options = swarm::ImageOptions{"s"};
  container.mounts[2].bind_options = swarm::BindOptions{"rslave", true, true, true, true};
  container.mounts[4].tmpfs_options->options = {{"exec"}, {"a", "b"}};
  container.dns_config->options = {"ndots:1"};
  container.configs.push_back({{}, swarm::RuntimeTarget{}, "id", "name"});
  spec.task_template.resources->reservations->generic_resources = {
      {swarm::NamedResource{"gpu", "0"}, swarm::DiscreteResource{"ssd", 1}}};
  spec.task_template.networks[0].driver_opts = {{"k", "v"}};
  spec.unknown = {{"/TaskTemplate/New", "1"}};
  return spec;
}

TEST(ServiceChanges, OfEqualSidesAreNone) {
  EXPECT_TRUE(service_changes(full_spec(), full_spec()).empty());
}

TEST(ServiceChanges, ReportAnySingleMutationOfAFullSpec) {
  const auto full = full_spec();
  int place = 0;
  for (;; ++place) {
    auto mutated = full;
    Mutation mutation(place);
    mutation.walk(mutated, "");
    if (!mutation.done()) break;
    ASSERT_FALSE(mutated == full) << mutation.what();
    EXPECT_FALSE(service_changes(full, mutated).empty()) << mutation.what();
    EXPECT_FALSE(service_changes(mutated, full).empty()) << mutation.what();
  }
  EXPECT_GT(place, 200) << "the walk does not reach all fields";
}

TEST(ServiceChanges, ReportAnyMutationOfCanonicalSpecsAndNothingElse) {
  const auto full = canonical(full_spec());
  for (int place = 0;; ++place) {
    auto mutated = full;
    Mutation mutation(place);
    mutation.walk(mutated, "");
    if (!mutation.done()) break;
    mutated = canonical(mutated);
    EXPECT_EQ(service_changes(full, mutated).empty(), mutated == full) << mutation.what();
  }
}

TEST(ServiceChanges, ReportWhatDiffersOnlyInsideMaskedDetails) {
  auto live = full_spec();
  live.task_template.container.mounts[0].volume_options->driver_config->options["password"] = "a";
  auto desired = live;
  desired.task_template.container.mounts[0].volume_options->driver_config->options["password"] =
      "b";
  const auto changes = service_changes(live, desired);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_TRUE(changes[0].secret);
  // Also beside another change of the same list.
  desired.task_template.container.mounts.pop_back();
  EXPECT_EQ(service_changes(live, desired).size(), 2U);
}

struct WordsRow {
  std::string name;
  std::function<void(ServiceSpec&)> edit;
  FieldChange expected;
};

class Words : public ::testing::TestWithParam<WordsRow> {};

TEST_P(Words, AreThoseOfTheComposeFile) {
  const auto live = canonical(full_spec());
  auto desired = full_spec();
  GetParam().edit(desired);
  const auto changes = service_changes(live, canonical(desired));
  ASSERT_EQ(changes.size(), 1U);
  const auto& change = changes[0];
  const auto& expected = GetParam().expected;
  EXPECT_EQ(change.path, expected.path);
  EXPECT_EQ(change.item, expected.item);
  EXPECT_EQ(change.kind, expected.kind);
  EXPECT_EQ(change.before, expected.before);
  EXPECT_EQ(change.after, expected.after);
  EXPECT_EQ(change.secret, expected.secret);
}

constexpr auto kAdded = FieldChange::Kind::added;
constexpr auto kRemoved = FieldChange::Kind::removed;
constexpr auto kChanged = FieldChange::Kind::changed;

INSTANTIATE_TEST_SUITE_P(
    Fields,
    Words,
    ::testing::Values(
        WordsRow{"environment_changed",
                 [](auto& s) { box(s).env[0] = "A=2"; },
                 {"environment", "A", kChanged, "1", "2", false}},
        WordsRow{"environment_secret",
                 [](auto& s) { box(s).env.push_back("DB_PASSWORD=hunter2"); },
                 {"environment", "DB_PASSWORD", kAdded, "", "***", true}},
        WordsRow{"environment_url",
                 [](auto& s) { box(s).env.push_back("DATABASE=postgres://u:hunter2@db/x"); },
                 {"environment", "DATABASE", kAdded, "", "***", true}},
        WordsRow{"label_basicauth",
                 [](auto& s) { s.labels["traefik.http.middlewares.a.basicauth.users"] = "u:x"; },
                 {"deploy.labels",
                  "traefik.http.middlewares.a.basicauth.users",
                  kAdded,
                  "",
                  "***",
                  true}},
        WordsRow{"container_label",
                 [](auto& s) { box(s).labels.erase("app"); },
                 {"labels", "app", kRemoved, "web", "", false}},
        WordsRow{"memory",
                 [](auto& s) { s.task_template.resources->limits->memory_bytes = 1 << 30; },
                 {"deploy.resources.limits.memory", "", kChanged, "64M", "1G", false}},
        WordsRow{"cpus",
                 [](auto& s) { s.task_template.resources->reservations->nano_cpus = 1500000000; },
                 {"deploy.resources.reservations.cpus", "", kChanged, "0.1", "1.5", false}},
        WordsRow{"replicas",
                 [](auto& s) { s.mode.replicated->replicas = 3; },
                 {"deploy.replicas", "", kChanged, "1", "3", false}},
        WordsRow{"mode",
                 [](auto& s) {
                   s.mode = {};
                   s.mode.global.emplace();
                 },
                 {"deploy.mode", "", kChanged, "replicated", "global", false}},
        WordsRow{"update_delay",
                 [](auto& s) { s.update_config->delay = std::chrono::seconds(90); },
                 {"deploy.update_config.delay", "", kChanged, "1s", "1m30s", false}},
        WordsRow{"update_parallelism_zero",
                 [](auto& s) { s.update_config->parallelism = 0; },
                 {"deploy.update_config.parallelism", "", kChanged, "2", "0", false}},
        WordsRow{"port",
                 [](auto& s) { s.endpoint_spec->ports.pop_back(); },
                 {"ports", "19000:9000/tcp (host)", kRemoved, "19000:9000/tcp (host)", "", false}},
        WordsRow{"volume",
                 [](auto& s) { box(s).mounts[1].source = "other"; },
                 {"volumes", "/data2", kChanged, "rd-r_data2 read-only", "other read-only", false}},
        WordsRow{"secret_reference",
                 [](auto& s) { box(s).secrets[1].secret_name = "new"; },
                 {"secrets",
                  "/run/custom",
                  kChanged,
                  "rd-r_sec owner 5:6 mode 0400",
                  "new owner 5:6 mode 0400",
                  false}},
        WordsRow{"command",
                 [](auto& s) {
                   box(s).args = {"sleep", "1"};
                 },
                 {"command", "", kChanged, "sh -c \"sleep 100000\"", "sleep 1", false}},
        WordsRow{"constraint",
                 [](auto& s) { s.task_template.placement->constraints.push_back("node.id==x"); },
                 {"deploy.placement.constraints", "node.id==x", kAdded, "", "node.id==x", false}},
        WordsRow{"network_alias",
                 [](auto& s) {
                   s.task_template.networks[0].aliases = {"web", "b"};
                 },
                 {"networks", "rd-r_back", kChanged, "aliases web", "aliases web b", false}},
        WordsRow{"no_word_for_it",
                 [](auto& s) { box(s).privileges->app_armor->mode = "disabled"; },
                 {"/TaskTemplate/ContainerSpec/Privileges/AppArmor/Mode",
                  "",
                  kChanged,
                  "default",
                  "disabled",
                  false}},
        WordsRow{"unknown_field",
                 [](auto& s) { s.unknown.clear(); },
                 {"/TaskTemplate/New", "", kRemoved, "1", "", false}},
        WordsRow{"control_characters",
                 [](auto& s) { box(s).hostname = "a\x1b[31mb\n"; },
                 {"hostname", "", kChanged, "{{.Service.Name}}-{{.Task.Slot}}", "a[31mb ", false}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ServiceChanges, NameTheImageOnceAndNotItsLabelAndPlatforms) {
  auto live = full_spec();
  live.labels[testing::kImage] = "x:1";
  auto desired = live;
  desired.task_template.container.image = "x:2";
  desired.labels[testing::kImage] = "x:2";
  desired.task_template.placement->platforms.clear();
  const auto changes = service_changes(live, desired);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, "image");
  desired.task_template.container.image = live.task_template.container.image;
  desired.task_template.placement->platforms = live.task_template.placement->platforms;
  EXPECT_EQ(service_changes(live, desired).size(), 1U) << "a label alone is told";
}

}  // namespace
}  // namespace skep::diff
