// What the real CLI made of each case of tests/conformance/corpus, against what load() makes of it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compose/compose.hpp"
#include "compose/paths.hpp"
#include "compose/text.hpp"
#include "compose/to_text.hpp"
#include "core/ascii.hpp"
#include "swarm/json.hpp"
#include "tests/paths.hpp"

namespace skep::compose {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kCorpus = fs::path(SKEP_SOURCE_DIR) / "tests/conformance/corpus";

/// Cases about the command line and about opening files: load() is not asked.
const std::set<std::string> kCommandLine = {"a1-1-no-compose-file",
                                            "a1-3-stdin-twice",
                                            "a1-6-directory-as-file",
                                            "a1-6-missing-file",
                                            "a1-7-blank-stack-name",
                                            "a1-8-resolve-image-option"};

/// Refused for the same reason, in words of our own: where the CLI's parser or decoder speaks of
/// itself, or quotes a file's content.
const std::map<std::string, std::string> kOwnWords = {
    {"a1-6-all-parsed-before-validated", "illegal flow end"},
    {"a2-1-top-level-number-key", "key 1 is not a string"},
    {"a2-10-timestamp-as-hostname", "services.web.hostname: expected a string, got a timestamp"},
    {"a2-11-boolean-key", "key true is not a string"},
    {"a2-11-f13-number-key", "key 1 is not a string"},
    {"a2-11-list-as-key", "invalid map key"},
    {"a2-4-syntax-error", "illegal flow end"},
    {"a2-4-tab-indentation", "illegal map value"},
    {"a2-4-unknown-alias", "the referenced anchor is not defined"},
    {"a7-2-ignored-date", "services.web.domainname: expected a string, got a timestamp"},
    {"a7-2-ignored-number", "services.web.shm_size: expected a string, got a integer"},
    {"a7-1-extends", "unsupported options: extends"},
    {"a7-1-forbidden-keys", "unsupported options: volume_driver"},
    {"a4-1-forbidden-before-interpolation", "unsupported options: mem_limit"},
    {"large-refused-compose-v2", "unsupported options: cpu_shares"},
    {"b4-2-blank-before-equals", "line 1: variable name contains whitespaces"},
    {"b4-2-f65-export", "line 1: variable name contains whitespaces"},
    {"b4-2-long-line", "line 1: longer than 64 KiB"},
    {"b4-2-no-name", "line 1: no variable name"},
    {"b4-2-not-utf8", "line 2: invalid utf8 bytes"},
    {"c9-2-short-digest", "invalid image reference for service web: invalid"},
};

/// What the CLI says without the frames that its libraries put around it; ours is a position.
std::string core_of(const std::string& text) {
  static const std::regex kFrame(
      "^(yaml: (unmarshal errors:\\n  )?(line [0-9]+: )?"
      "|decoding failed due to the following error\\(s\\):\\n\\n(error decoding '[^']*': )?)");
  return std::regex_replace(text, kFrame, "");
}

std::optional<std::string> slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

class DiskFiles final : public FileReader {
 public:
  Result<std::optional<std::string>> read(const std::string& path) const override {
    if (fs::is_directory(path)) {
      return Error{ErrorKind::invalid_input, "read " + path + ": is a directory"};
    }
    return slurp(path);
  }
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

/// The values of -c, each a record of comma-separated values (rule A1.2).
std::vector<std::string> file_names(const fs::path& folder) {
  const auto arguments = slurp(folder / "args");
  if (!arguments) return {"docker-compose.yml"};
  std::vector<std::string> names;
  for (const auto& line : lines(*arguments)) {
    std::string value;
    if (line.rfind("-c ", 0) == 0) value = line.substr(3);
    if (line.rfind("--compose-file=", 0) == 0) value = line.substr(15);
    for (auto name : split(value, ',')) {
      if (name.size() > 1 && name.front() == '"') name = name.substr(1, name.size() - 2);
      if (!name.empty()) names.emplace_back(name);
    }
  }
  return names;
}

Input input_of(const fs::path& folder, bool strict) {
  static const DiskFiles kDisk;
  Input input;
  input.stack = *swarm::StackName::parse(slurp(folder / "stack").value_or(folder.filename()));
  const auto names = file_names(folder);
  for (const auto& name : names) {
    const auto text = name == "-" ? slurp(folder / "stdin") : slurp(folder / name);
    EXPECT_TRUE(text) << name;
    input.files.push_back({name, text.value_or("")});
  }
  const bool in_folder = names.empty() || names.front() == "-";
  input.working_directory =
      in_folder ? folder.string() : clean_path((folder / names.front()).parent_path().string());
  input.environment = {{"PATH", "/bin"}, {"HOME", "/home/conformance"}};
  for (const auto& line : lines(slurp(folder / "env").value_or(""))) {
    const auto parts = cut(line, '=');
    input.environment[std::string(parts.before)] = parts.after;
  }
  input.home = "/home/conformance";
  if (const auto home = input.environment.find("HOME"); home != input.environment.end()) {
    input.home = home->second;
  }
  input.reader = &kDisk;
  input.strict = strict;
  return input;
}

Output load_case(const fs::path& folder, bool strict) { return load(input_of(folder, strict)); }

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

json recorded(const fs::path& folder) {
  auto text = slurp(folder / "recorded.json").value_or("{}");
  replace_all(text, "@DIR@", folder.string());
  replace_all(text, "@PARENT@", folder.parent_path().string());
  return json::parse(text);
}

/// Ids are not known before the objects exist; the record has names in their place.
void drop_ids(json& value) {
  if (value.is_object()) {
    value.erase("SecretID");
    value.erase("ConfigID");
    if (value.contains("CredentialSpec") && value["CredentialSpec"].is_object()) {
      value["CredentialSpec"].erase("Config");
    }
  }
  if (value.is_structured()) {
    for (auto& item : value) drop_ids(item);
  }
}

json sorted_by_name(std::vector<json> bodies) {
  std::sort(bodies.begin(), bodies.end(), [](const json& a, const json& b) {
    return a.at("Name") < b.at("Name");
  });
  for (auto& body : bodies) drop_ids(body);
  return bodies;
}

json services(const swarm::StackSpec& stack) {
  std::vector<json> bodies;
  for (const auto& [key, service] : stack.services) {
    bodies.push_back(json::parse(swarm::to_json(service.spec)));
  }
  return sorted_by_name(std::move(bodies));
}

/// Of a network only what a stack asks for; null and {} are the same to the engine.
json network_body(const json& full) {
  json body;
  for (const auto* key : {"Name", "Driver", "Internal", "Attachable"}) body[key] = full.at(key);
  for (const auto* key : {"Options", "Labels"}) {
    body[key] = full.at(key).is_null() ? json::object() : full.at(key);
  }
  const auto& ipam = full.at("IPAM");
  if (!ipam.is_null()) {
    body["IPAM"]["Driver"] = ipam.at("Driver");
    body["IPAM"]["Config"] = ipam.at("Config").is_null() ? json::array() : ipam.at("Config");
  }
  return body;
}

json networks(const swarm::StackSpec& stack) {
  std::vector<json> bodies;
  for (const auto& [key, network] : stack.networks) {
    bodies.push_back(network_body(json::parse(swarm::to_json(network))));
  }
  return sorted_by_name(std::move(bodies));
}

json recorded_networks(const json& sent) {
  std::vector<json> bodies;
  for (const auto& body : sent) bodies.push_back(network_body(body));
  return sorted_by_name(std::move(bodies));
}

json secrets(const swarm::StackSpec& stack) {
  std::vector<json> bodies;
  for (const auto& [key, secret] : stack.secrets) {
    bodies.push_back(json::parse(swarm::to_json(secret).reveal()));
  }
  return sorted_by_name(std::move(bodies));
}

json configs(const swarm::StackSpec& stack) {
  std::vector<json> bodies;
  for (const auto& [key, config] : stack.configs) {
    bodies.push_back(json::parse(swarm::to_json(config)));
  }
  return sorted_by_name(std::move(bodies));
}

bool found_in(const std::string& text, const Findings& findings, Finding::Severity severity) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.severity == severity && finding.message.find(text) != std::string::npos;
  });
}

/// Every warning of the CLI is among ours; ours may say more.
void expect_warnings(const json& warnings, const Findings& findings) {
  const std::string ignored = "Ignoring unsupported options: ";
  for (const auto& warning : warnings) {
    const auto text = warning.get<std::string>();
    if (text.rfind(ignored, 0) == 0) {
      const auto options = text.substr(ignored.size());
      for (const auto option : split(options, ',')) {
        const auto name = std::string(option.substr(option.front() == ' ' ? 1 : 0));
        EXPECT_TRUE(found_in(ignored + name, findings, Finding::Severity::warning)) << text;
      }
    } else if (text.rfind("Ignoring deprecated options:", 0) == 0) {
      EXPECT_TRUE(found_in("Ignoring deprecated options: ", findings, Finding::Severity::warning));
    } else if (text.find("--detach") == std::string::npos) {
      EXPECT_TRUE(found_in(text, findings, Finding::Severity::warning)) << text;
    }
  }
}

/// The CLI sends some words as they are written; the engine reads them in any case and keeps them
/// in its own, which is what we send.
json in_the_engines_case(json value) {
  if (value.is_object()) {
    for (const auto* key : {"Protocol", "PublishMode", "Isolation", "Propagation"}) {
      if (value.contains(key) && value[key].is_string())
        value[key] = lower(value[key].get<std::string>());
    }
  }
  if (value.is_structured()) {
    for (auto& item : value) item = in_the_engines_case(std::move(item));
  }
  return value;
}

class RecordedTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedTest, EqualsWhatTheCliSent) {
  const auto folder = kCorpus / GetParam();
  const auto record = recorded(folder);
  const auto output = load_case(folder, true);
  const bool refused_by_client =
      record.at("verdict") == "refused" && record.at("refused_by") == "client";
  if (refused_by_client) {
    EXPECT_TRUE(has_errors(output.findings)) << record.at("error");
    const auto own = kOwnWords.find(GetParam());
    const auto expected =
        own != kOwnWords.end() ? own->second : core_of(record.at("error").get<std::string>());
    EXPECT_TRUE(found_in(expected, output.findings, Finding::Severity::error))
        << "not found: " << expected << "\nin: " << to_string(output.findings);
    return;
  }
  // What every engine refuses may be refused before it is asked.
  if (record.at("verdict") == "refused" && record.at("refused_by") == "engine") return;
  ASSERT_FALSE(has_errors(output.findings)) << to_string(output.findings);
  expect_warnings(record.at("warnings"), output.findings);
  if (record.at("verdict") != "accepted") return;  // The engine or its state stood in the way.
  const auto& sent = record.at("sent");
  EXPECT_EQ(networks(output.stack).dump(1), recorded_networks(sent.at("networks")).dump(1));
  EXPECT_EQ(secrets(output.stack).dump(1), sorted_by_name(sent.at("secrets")).dump(1));
  EXPECT_EQ(configs(output.stack).dump(1), sorted_by_name(sent.at("configs")).dump(1));
  EXPECT_EQ(services(output.stack).dump(1),
            in_the_engines_case(sorted_by_name(sent.at("services"))).dump(1));
}

/// What the CLI accepts means the same whether or not more than that is understood.
TEST_P(RecordedTest, ExtensionsChangeNothingThatTheCliAccepts) {
  const auto folder = kCorpus / GetParam();
  const auto record = recorded(folder);
  if (record.at("verdict") == "refused" && record.at("refused_by") != "state") return;
  const auto strict = load_case(folder, true);
  const auto relaxed = load_case(folder, false);
  ASSERT_FALSE(has_errors(relaxed.findings)) << to_string(relaxed.findings);
  EXPECT_EQ(services(relaxed.stack).dump(1), services(strict.stack).dump(1));
  EXPECT_TRUE(relaxed.stack == strict.stack);
}

/// What `skep render` prints can be deployed.
TEST_P(RecordedTest, WrittenAsOneTextItLoadsToTheSameStack) {
  // Two files together may have what one may not: the same name server twice.
  if (GetParam() == "a9-2-f115-appended-lists") return;
  auto input = input_of(kCorpus / GetParam(), true);
  input.keep_file = true;
  const auto first = load(input);
  if (has_errors(first.findings)) return;
  ASSERT_TRUE(first.file);
  const auto text = to_text(*first.file, first.version);
  input.files = {{"rendered.yml", text}};
  const auto again = load(input);
  ASSERT_FALSE(has_errors(again.findings)) << to_string(again.findings) << "\n" << text;
  EXPECT_EQ(services(again.stack).dump(1), services(first.stack).dump(1)) << text;
  EXPECT_EQ(networks(again.stack).dump(1), networks(first.stack).dump(1)) << text;
  EXPECT_EQ(secrets(again.stack).dump(1), secrets(first.stack).dump(1)) << text;
  EXPECT_EQ(configs(again.stack).dump(1), configs(first.stack).dump(1)) << text;
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kCorpus)) {
    const std::string name = entry.path().filename();
    if (!kCommandLine.contains(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Recorded, CasesOfTheCommandLineAreStillThere) {
  for (const auto& name : kCommandLine) EXPECT_TRUE(fs::exists(kCorpus / name)) << name;
  EXPECT_GT(cases().size(), 400U);
}

INSTANTIATE_TEST_SUITE_P(Corpus, RecordedTest, ::testing::ValuesIn(cases()), [](const auto& row) {
  std::string name = row.param;
  std::replace_if(
      name.begin(),
      name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; },
      '_');
  return name;
});

}  // namespace
}  // namespace skep::compose
