#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "compose/rewrite.hpp"
#include "fixture.hpp"
#include "tests/paths.hpp"

// docs/compose-support.md is a promise: every row of its tables is tried here, and every key that
// the code knows has a row.
namespace skep::compose {
namespace {

using ::testing::HasSubstr;
using testing::Loader;
using testing::web;

using TableRow = std::vector<std::string>;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The rows of the table below a heading, without its head.
std::vector<TableRow> table(const std::string& heading) {
  std::ifstream file(std::string(SKEP_SOURCE_DIR) + "/docs/compose-support.md");
  EXPECT_TRUE(file) << "docs/compose-support.md is not there";
  std::vector<TableRow> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) inside = line == "## " + heading;
    if (!inside || line.rfind("| ", 0) != 0) continue;
    TableRow row;
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) row.push_back(trimmed(cell));
    if (row.size() == 4) rows.push_back(row);
    EXPECT_EQ(row.size(), 4U) << line;
  }
  EXPECT_FALSE(rows.empty()) << heading;
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

/// What the strict cell promises of a file: refused or not.
bool refuses(const TableRow& row) { return row[3].rfind("refuses", 0) == 0; }

/// A value that the CLI takes for a key, where a plain word is none.
std::string value_of(const std::string& key) {
  static const std::map<std::string, std::string> kValues = {
      {"build", "."},
      {"devices", "['/dev/null:/dev/null']"},
      {"expose", "['80']"},
      {"external_links", "[a]"},
      {"links", "[a]"},
      {"oom_score_adj", "100"},
      {"privileged", "true"},
      {"security_opt", "['no-new-privileges']"},
      {"shm_size", "64m"},
      {"tmpfs", "['/run']"}};
  const auto at = kValues.find(key);
  return at == kValues.end() ? "x" : at->second;
}

TEST(SupportTable, EveryKeyThatIsIgnoredHasARowWithTheWordsOfTheWarning) {
  std::set<std::string> documented;
  for (const auto& row : table("Keys that Swarm cannot honour")) {
    const auto key = row[0].substr(1, row[0].size() - 2);
    SCOPED_TRACE(key);
    documented.insert(key);
    Loader loader;
    const auto text = web(key + ": " + value_of(key));
    EXPECT_EQ(has_errors(loader.load({text}).findings), refuses(row))
        << testing::errors(loader.load({text}));
    EXPECT_EQ(row[1], row[3]) << "strict is what the CLI does";
    loader.strict = false;
    const auto output = loader.load({text});
    EXPECT_EQ(testing::errors(output), "");
    EXPECT_THAT(testing::warnings(output),
                HasSubstr("services.web." + key + " is ignored by Swarm: " + row[2] + "\n"));
  }
  const auto known = dropped_service_keys();
  EXPECT_EQ(documented, std::set<std::string>(known.begin(), known.end()));
}

TEST(SupportTable, EveryExtensionHasARowThatIsTrue) {
  const auto service = [](const std::string& keys) { return web(keys); };
  const std::map<std::string, std::string> examples = {
      {"top-level `name`", web("", "name: shop")},
      {"`extends`", service("extends: {file: base.yml, service: base}")},
      {"`include`", web("", "include: [other.yml]")},
      {"`profiles`", service("profiles: [debug]")},
      {"`depends_on` as a mapping",
       web("depends_on: {a: {condition: service_healthy}}", "  a: {image: b}")},
      {"`env_file` with `path` and `required`",
       service("env_file: [{path: missing.env, required: false}]")},
      {"a service that another awaits with `service_completed_successfully`",
       web("depends_on: {a: {condition: service_completed_successfully}}", "  a: {image: b}")},
      {"a network with `driver: bridge` that a service uses",
       web("networks: [a]", "networks: {a: {driver: bridge}}")},
      {"`configs.NAME.content`", web("", "configs: {a: {content: text}}")},
      {"`configs.NAME.environment`, `secrets.NAME.environment`",
       web("", "secrets: {a: {environment: FOO}}")},
      {"a key without a value, such as `deploy.labels:`", service("deploy:\n  labels:")},
      {"`true` and `false` in `environment`, `labels`, `driver_opts` …",
       service("environment: {A: true}")},
      {"numbers where a text is meant: `user`, `command`, `cpus`, `uid`, `gid`, `name` …",
       service("user: 1000")},
      {"texts where a number is meant: `replicas`, `mode`, `published`, `ulimits` …",
       service("deploy: {replicas: '2'}\nulimits: {nofile: '5'}")},
      {"`512Mi` as an amount of memory, `unlimited` as a ulimit",
       service("deploy: {resources: {limits: {memory: 512Mi}}}")},
      {"words where a switch is meant: `tty: yes`, `external: 'true'` …", service("tty: yes")},
      {"`restart: false`", service("restart: false")},
      {"`always`, `unless-stopped`, `no` as a `restart_policy.condition`",
       service("deploy: {restart_policy: {condition: unless-stopped}}")},
      {"`- KEY: value` in a list of KEY=VALUE", service("environment: [{A: b}]")},
      {"an empty list item", service("environment:\n  - A=b\n  -")},
      {"a long volume without `type`", service("volumes: [{source: /a, target: /b}]")},
      {"`${VAR:+text}`, `${VAR+text}`", service("hostname: ${FOO:+bar}")},
      {"a variable in `init`, `limits.pids`, `tmpfs.size`, a generic resource's `value`",
       service("init: ${YES}")},
      {"`export KEY=VALUE`, and blanks around the `=`, in an env_file",
       service("env_file: shell.env")},
      {"the same item twice in a list", service("cap_add: [NET_ADMIN, NET_ADMIN]")},
      {"a lone `$`", service("labels: {a: 'p$ss$'}")},
      {"several `<<` in one mapping",
       "x-a: &a {A: b}\nservices: {web: {image: a, environment: {<<: *a, <<: *a}}}\n"},
      {"a key written twice with the same value", service("tty: true\ntty: true")},
      {"`driver`, `driver_opts`, `labels` of an external volume",
       web("", "volumes: {a: {external: true, driver: local}}")},
      {"top-level `models`", web("", "models: {a: {model: b}}")},
      {"`version: '2'` and its like", "version: '2'\nservices: {web: {image: a}}\n"},
      {"`scale`, `mem_limit`, `cpus`, `pids_limit`, `mem_reservation`", service("mem_limit: 1g")},
      {"`host_ip`, `name`, `app_protocol` of a long port",
       service("ports: [{target: 80, published: 80, host_ip: 127.0.0.1}]")},
      {"`priority`, `gw_priority`, `link_local_ips`, `interface_name` of a network attachment",
       web("networks: {a: {priority: 1}}", "networks: {a: {}}")},
      {"`enable_ipv4`, `enable_ipv6`, `ipam.options`, `gateway`, `ip_range`, `aux_addresses` of a "
       "network",
       web("networks: [a]", "networks: {a: {enable_ipv6: true}}")},
      {"`deploy.resources.reservations.devices`",
       service("deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}")},
  };
  std::set<std::string> documented, tried;
  for (const auto& [construct, text] : examples) tried.insert(construct);
  for (const auto& row : table("Extensions")) {
    SCOPED_TRACE(row[0]);
    documented.insert(row[0]);
    if (row[1].find("engine") == std::string::npos) {
      EXPECT_EQ(row[1], row[3]) << "strict is what the CLI does";
    }
    const auto example = examples.find(row[0]);
    if (example == examples.end()) continue;  // Said below.
    const auto& text = example->second;
    Loader loader;
    loader.environment["YES"] = "true";
    loader.reader.files["/D/shell.env"] = "export A=1\n";
    loader.reader.files["/D/other.yml"] = "services: {db: {image: b}}\n";
    loader.reader.files["/D/base.yml"] = "services: {base: {image: b}}\n";
    EXPECT_EQ(has_errors(loader.load({text}).findings), refuses(row))
        << testing::errors(loader.load({text}));
    loader.strict = false;
    EXPECT_EQ(testing::errors(loader.load({text})), "");
  }
  EXPECT_EQ(documented, tried);
}

struct Mistake {
  std::string title, text, skep;
};

std::vector<Mistake> mistakes() {
  std::ifstream file(std::string(SKEP_SOURCE_DIR) + "/docs/compose-support.md");
  std::vector<Mistake> found;
  std::string block;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) inside = line == "## Typical mistakes";
    if (!inside) continue;
    if (line.rfind("### ", 0) == 0) {
      found.push_back({line.substr(4), "", ""});
    } else if (line.rfind("```", 0) == 0) {
      block = line.substr(3);
    } else if (block == "yaml") {
      found.back().text += line + '\n';
    } else if (block == "text" && line.rfind("skep:   ", 0) == 0) {
      found.back().skep += line.substr(8) + '\n';
    }
  }
  return found;
}

/// The rows of the CLI's oddities: what the CLI makes of them was tried once, that skep refuses is
/// tried here.
TEST(SupportTable, WhatOnlySkepRefusesIsRefusedInBothModes) {
  for (const auto& text : {std::string(" version: '3'\nservices: {web: {image: a}}\n"),
                           web("hostname: x\nlabels: [a:]"),
                           web("hostname: a # \xE2\x80\xA8 b"),
                           web("extra_hosts: [2020-01-02]"),
                           web("deploy: {replicas: 18446744073709551616}"),
                           web("deploy: {resources: {limits: {cpus: '50000000012'}}}")}) {
    Loader loader;
    EXPECT_NE(testing::errors(loader.load({text})), "") << text;
    loader.strict = false;
    EXPECT_NE(testing::errors(loader.load({text})), "") << text;
  }
}

TEST(SupportTable, TheMistakesReadAsTheyAreShown) {
  const auto all = mistakes();
  EXPECT_EQ(all.size(), 10U);
  for (const auto& mistake : all) {
    const testing::MemoryFiles reader;
    Input input;
    input.stack = *swarm::StackName::parse("shop");
    input.files.push_back({"shop.yml", mistake.text});
    input.working_directory = "/D";
    input.reader = &reader;
    input.strict = false;
    const auto output = load(input);
    ASSERT_TRUE(has_errors(output.findings)) << mistake.title;
    EXPECT_EQ(to_string(to_error(output.findings)) + '\n', mistake.skep) << mistake.title;
  }
}

}  // namespace
}  // namespace skep::compose
