// Holds the table "folder, what it may use, third-party" of docs/ARCHITECTURE.md as a map, and
// fails on an include that is not in it. Includes are written from the repository root, so the
// compiler would not notice a breach.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  std::set<std::string> uses;     ///< Our folders, besides itself.
  std::set<std::string> foreign;  ///< Third-party libraries; in sources and private headers only.
  bool pure = false;  ///< No clock, log, file, thread or environment: values in, values out.
};

const std::set<std::string> kEverything = {"core",
                                           "swarm",
                                           "yaml",
                                           "helm-like-templates/renderer",
                                           "helm-like-templates/package",
                                           "helm-like-templates/catalog",
                                           "sops",
                                           "compose",
                                           "diff",
                                           "engine",
                                           "server",
                                           "reconciler/ports",
                                           "gitsync",
                                           "metrics",
                                           "repository",
                                           "reconciler/access",
                                           "reconciler/observation",
                                           "reconciler",
                                           "reconciler/agent",
                                           "history",
                                           "notify"};

// Top to bottom: nothing knows what is below it.
const std::map<std::string, Folder> kFolders = {
    {"core", {{}, {"openssl"}}},  // not pure: clock.cpp is the one place that reads clocks
    {"swarm", {{"core"}, {"nlohmann"}, true}},
    {"yaml", {{"core"}, {"yaml-cpp"}, true}},
    {"helm-like-templates/renderer", {{"core", "yaml"}, {"nlohmann", "re2"}, true}},
    {"helm-like-templates/package",
     {{"core", "yaml", "helm-like-templates/renderer"}, {"re2"}, true}},
    {"helm-like-templates/catalog", {{}, {}, true}},
    // re2: rules about which keys are encrypted are Go's regular expressions.
    {"sops", {{"core", "yaml"}, {"openssl", "re2"}, true}},
    {"compose", {{"core", "yaml", "swarm"}, {}, true}},
    {"diff", {{"core", "swarm"}, {}, true}},
    {"reconciler/ports", {{"core", "swarm", "diff"}, {}}},
    // date: time zones of deployment windows.
    {"repository",
     {{"core",
       "swarm",
       "yaml",
       "helm-like-templates/package",
       "helm-like-templates/catalog",
       "sops",
       "compose",
       "diff",
       "reconciler/ports"},
      {"date"},
      true}},
    {"reconciler/access", {{"core", "swarm", "yaml", "repository", "reconciler/ports"}, {}}},
    {"reconciler/observation", {{"core", "swarm", "repository", "reconciler/ports"}, {}}},
    // nlohmann: the state object in the swarm is JSON.
    {"reconciler",
     {{"core",
       "swarm",
       "diff",
       "repository",
       "reconciler/ports",
       "reconciler/access",
       "reconciler/observation"},
      {"spdlog", "nlohmann"}}},
    {"reconciler/agent",
     {{"core",
       "swarm",
       "diff",
       "repository",
       "reconciler/ports",
       "reconciler/observation",
       "reconciler"},
      {"spdlog"}}},
    // nlohmann: what parent and fetching child tell each other; openssl: hashed known_hosts, a CA
    // of one's own.
    {"gitsync", {{"core", "reconciler/ports"}, {"git2", "nlohmann", "openssl", "spdlog"}}},
    {"engine", {{"core", "swarm", "reconciler/ports"}, {"curl", "nlohmann", "fmt"}}},
    // nlohmann: the lines of the audit file.
    {"history", {{"core", "reconciler/ports"}, {"nlohmann", "sqlite", "spdlog"}}},
    {"metrics", {{"core", "reconciler/ports"}, {"prometheus"}}},
    // yaml and renderer: its settings, and chats as templates; sqlite: the outbox.
    {"notify",
     {{"core", "yaml", "helm-like-templates/renderer", "reconciler/ports"},
      {"curl", "nlohmann", "sqlite", "spdlog"}}},
    {"server",
     {{"core", "diff", "reconciler/ports"},
      // gnutls: the certificate of libmicrohttpd's TLS.
      {"microhttpd", "gnutls", "nlohmann"}}},
    {"cli", {kEverything, {"CLI11", "spdlog", "nlohmann"}}},
};

// A private header names a C library's handles for one folder; nobody else includes it, directly or
// through a public one.
const std::set<std::string> kPrivateHeaders = {"gitsync/descriptor.hpp",
                                               "gitsync/git2.hpp",
                                               "gitsync/mirror.hpp",
                                               "gitsync/remote.hpp",
                                               "engine/curl.hpp",
                                               "engine/json_text.hpp",
                                               "history/sqlite.hpp",
                                               "notify/curl.hpp",
                                               "server/json_text.hpp",
                                               "server/tls_pair.hpp"};

// Loggers come through constructors (code style: no global logger), so their type stands in
// headers; and cli/ is a program that nobody includes.
const std::set<std::string> kInPublicHeaders = {"spdlog"};
const std::string kProgram = "cli";

// Text to address and back: a calculation, although its header is the sockets'.
const std::set<std::string> kPureSystem = {"arpa/inet.h"};

// How a header's path begins → the library. The C++ and C standard libraries have no entry: their
// headers have no slash and no ".h" but the system's.
const std::vector<std::pair<std::string, std::string>> kLibraries = {
    {"fmt/", "fmt"},
    {"openssl/", "openssl"},
    {"nlohmann/", "nlohmann"},
    {"yaml-cpp/", "yaml-cpp"},
    {"re2/", "re2"},
    {"date/", "date"},
    {"spdlog/", "spdlog"},
    {"git2.h", "git2"},
    {"git2/", "git2"},
    {"curl/", "curl"},
    {"sqlite3.h", "sqlite"},
    {"prometheus/", "prometheus"},
    {"microhttpd.h", "microhttpd"},
    {"gnutls/", "gnutls"},
    {"CLI/", "CLI11"},
};

// Files, processes, sockets, threads, time: what a pure folder has no use for.
const std::set<std::string> kImpure = {"fstream",
                                       "filesystem",
                                       "iostream",
                                       "thread",
                                       "mutex",
                                       "ctime",
                                       "random",
                                       "condition_variable",
                                       "atomic",
                                       "future"};

bool is_system_header(std::string_view name) {
  return name.starts_with("sys/") || name.starts_with("linux/") || name.starts_with("netinet/") ||
         name.starts_with("arpa/") ||
         (name.find('/') == std::string_view::npos && name.ends_with(".h"));
}

std::optional<std::string> library_of(std::string_view header) {
  for (const auto& [prefix, library] : kLibraries) {
    if (header.starts_with(prefix)) return library;
  }
  return std::nullopt;
}

/// The folder of the map that a path from the repository root is in: the longest that fits.
std::optional<std::string> folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  for (auto directory = path.substr(0, slash);;) {
    if (const auto found = kFolders.find(std::string(directory)); found != kFolders.end()) {
      return found->first;
    }
    const auto up = directory.rfind('/');
    if (up == std::string_view::npos) return std::nullopt;
    directory = directory.substr(0, up);
  }
}

bool is_public_header(const std::string& path, const std::string& folder) {
  return path.ends_with(".hpp") && folder != kProgram && !kPrivateHeaders.contains(path);
}

std::optional<std::string> breach_of_ours(const std::string& path,
                                          const std::string& folder,
                                          const std::string& included) {
  const auto target = folder_of(included);
  if (!target) return "includes \"" + included + "\", which is in no known folder";
  if (*target == folder) {
    const bool leaks = is_public_header(path, folder) && kPrivateHeaders.contains(included);
    if (leaks) return "a public header includes the private " + included;
    return std::nullopt;
  }
  if (kPrivateHeaders.contains(included)) return "includes " + *target + "'s private " + included;
  if (!kFolders.at(folder).uses.contains(*target)) {
    return folder + " may not use " + *target + " (\"" + included + "\")";
  }
  return std::nullopt;
}

std::optional<std::string> breach_of_foreign(const std::string& path,
                                             const std::string& folder,
                                             const std::string& included) {
  const auto& rules = kFolders.at(folder);
  const bool public_header = is_public_header(path, folder);
  if (const auto library = library_of(included)) {
    if (!rules.foreign.contains(*library)) {
      return folder + " may not use " + *library + " (<" + included + ">)";
    }
    if (public_header && !kInPublicHeaders.contains(*library)) {
      return "a public header includes <" + included + ">";
    }
    return std::nullopt;
  }
  if (is_system_header(included)) {
    if (rules.pure && !kPureSystem.contains(included))
      return folder + " is pure and includes <" + included + ">";
    if (public_header) return "a public header includes <" + included + ">";
    return std::nullopt;
  }
  if (included.find('/') != std::string::npos) {
    return "<" + included + "> is of a library that this test does not know";
  }
  if (rules.pure && kImpure.contains(included)) {
    return folder + " is pure and includes <" + included + ">";
  }
  return std::nullopt;
}

struct Include {
  std::size_t line = 0;
  bool ours = false;  ///< "…", from the repository root; else <…>.
  std::string path;
};

std::vector<Include> includes_of(std::istream& text) {
  std::vector<Include> found;
  std::string line;
  for (std::size_t number = 1; std::getline(text, line); ++number) {
    std::size_t at = line.find_first_not_of(" \t");
    if (at == std::string::npos || line[at] != '#') continue;
    at = line.find_first_not_of(" \t", at + 1);
    if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
    at = line.find_first_of("<\"", at + 7);
    if (at == std::string::npos) continue;
    const auto end = line.find(line[at] == '<' ? '>' : '"', at + 1);
    if (end == std::string::npos) continue;
    found.push_back({number, line[at] == '"', line.substr(at + 1, end - at - 1)});
  }
  return found;
}

/// What is wrong with the includes of one file; `path` is from the repository root.
std::vector<std::string> breaches(const std::string& path, std::istream& text) {
  std::vector<std::string> found;
  const auto folder = folder_of(path);
  if (!folder) return {path + ": no folder of this map holds it"};
  for (const auto& [line, ours, included] : includes_of(text)) {
    const auto breach =
        ours ? breach_of_ours(path, *folder, included) : breach_of_foreign(path, *folder, included);
    if (breach) found.push_back(path + ":" + std::to_string(line) + ": " + *breach);
  }
  return found;
}

std::vector<std::string> breaches(const std::string& path, const std::string& text) {
  std::istringstream stream(text);
  return breaches(path, stream);
}

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".hpp";
}

/// Every source of the product, from the repository root; build trees, hidden folders and tests/
/// are not it.
std::vector<std::string> product_sources(const fs::path& root) {
  const std::set<std::string> other = {"build", "tests", "cmake", "docs", "deploy", "examples"};
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(root)) {
    const auto name = entry.path().filename().string();
    if (!entry.is_directory() || name.starts_with(".") || other.contains(name)) continue;
    for (const auto& inner : fs::recursive_directory_iterator(entry.path())) {
      if (inner.is_regular_file() && is_source(inner.path())) {
        paths.push_back(inner.path().lexically_relative(root).generic_string());
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(Layers, EveryIncludeOfTheTreeIsAllowedByTheTable) {
  const fs::path root = SKEP_SOURCE_DIR;
  const auto paths = product_sources(root);
  ASSERT_GT(paths.size(), 20U) << "found hardly any source below " << root;
  for (const auto& path : paths) {
    std::ifstream text(root / path);
    ASSERT_TRUE(text) << path;
    for (const auto& breach : breaches(path, text)) ADD_FAILURE() << breach;
  }
}

/// So each header is compiled as the first thing of a file, and shows that it needs no other before
/// it; cmake/SkepLibrary.cmake has only those compiled alone that have no source.
TEST(Layers, EverySourceIncludesItsOwnHeaderFirst) {
  const fs::path root = SKEP_SOURCE_DIR;
  std::size_t seen = 0;
  for (const auto& path : product_sources(root)) {
    const auto header = fs::path(path).replace_extension(".hpp").generic_string();
    if (!path.ends_with(".cpp") || !fs::exists(root / header)) continue;
    ++seen;
    std::ifstream text(root / path);
    const auto includes = includes_of(text);
    ASSERT_FALSE(includes.empty()) << path;
    EXPECT_EQ(includes.front().path, header) << path;
  }
  EXPECT_GT(seen, 100U);
}

TEST(Layers, NoEntryForAPrivateHeaderIsStale) {
  for (const auto& header : kPrivateHeaders) {
    EXPECT_TRUE(fs::exists(fs::path(SKEP_SOURCE_DIR) / header)) << header;
  }
}

TEST(Layers, TheTableHasNoCycle) {
  std::map<std::string, std::set<std::string>> left;
  for (const auto& [name, folder] : kFolders) left[name] = folder.uses;
  while (!left.empty()) {
    const auto free = std::find_if(
        left.begin(), left.end(), [](const auto& entry) { return entry.second.empty(); });
    ASSERT_NE(free, left.end()) << "a cycle among " << left.size() << " folders";
    const auto name = free->first;
    left.erase(free);
    for (auto& [other, uses] : left) uses.erase(name);
  }
}

TEST(Layers, AdaptersDoNotKnowEachOther) {
  const std::set<std::string> adapters = {"gitsync", "engine", "history", "metrics", "notify"};
  for (const auto& adapter : adapters) {
    for (const auto& other : adapters) {
      EXPECT_FALSE(kFolders.at(adapter).uses.contains(other)) << adapter << " uses " << other;
    }
    EXPECT_FALSE(kFolders.at(adapter).uses.contains("reconciler")) << adapter;
  }
}

struct BreachCase {
  std::string name, path, text, expected;  ///< `expected`: part of the one message, "" for none.
};
void PrintTo(const BreachCase& row, std::ostream* out) { *out << row.name; }

class Breaches : public testing::TestWithParam<BreachCase> {};

TEST_P(Breaches, AreFoundAndNothingElseIs) {
  const auto& row = GetParam();
  const auto found = breaches(row.path, row.text);
  if (row.expected.empty()) {
    EXPECT_THAT(found, testing::IsEmpty());
  } else {
    EXPECT_THAT(found, testing::ElementsAre(testing::HasSubstr(row.expected)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Layers,
    Breaches,
    testing::Values(
        BreachCase{"a_lower_folder_is_not_known",
                   "core/error.cpp",
                   "\n#include \"swarm/labels.hpp\"\n",
                   "core/error.cpp:2: core may not use swarm"},
        BreachCase{"an_upper_folder_is", "swarm/a.cpp", "#include \"core/error.hpp\"\n", ""},
        BreachCase{"an_adapter_may_use_the_ports",
                   "engine/a.cpp",
                   "#include \"reconciler/ports/engine.hpp\"\n",
                   ""},
        BreachCase{"an_adapter_may_not_use_the_reconciler",
                   "engine/a.cpp",
                   "#include \"reconciler/pass.hpp\"\n",
                   "engine may not use reconciler"},
        BreachCase{"yaml_cpp_is_for_yaml_only",
                   "compose/a.cpp",
                   "#include <yaml-cpp/yaml.h>\n",
                   "compose may not use yaml-cpp"},
        BreachCase{"libgit2_is_for_gitsync_only",
                   "reconciler/a.cpp",
                   "#  include <git2.h>\n",
                   "reconciler may not use git2"},
        BreachCase{"no_library_in_a_public_header",
                   "engine/a.hpp",
                   "#include <nlohmann/json.hpp>\n",
                   "a public header includes <nlohmann/json.hpp>"},
        BreachCase{"a_private_header_names_its_library",
                   "engine/curl.hpp",
                   "#include <curl/curl.h>\n",
                   ""},
        BreachCase{"a_private_header_is_private",
                   "cli/a.cpp",
                   "#include \"engine/curl.hpp\"\n",
                   "engine's private engine/curl.hpp"},
        BreachCase{"a_public_header_does_not_pass_a_private_one_on",
                   "engine/a.hpp",
                   "#include \"engine/curl.hpp\"\n",
                   "a public header includes the private engine/curl.hpp"},
        BreachCase{"no_system_header_in_a_public_header",
                   "engine/a.hpp",
                   "#include <sys/socket.h>\n",
                   "a public header includes <sys/socket.h>"},
        BreachCase{"a_pure_folder_opens_no_file",
                   "compose/a.cpp",
                   "#include <fstream>\n",
                   "compose is pure and includes <fstream>"},
        BreachCase{"an_unknown_library_is_named",
                   "engine/a.cpp",
                   "#include <boost/asio.hpp>\n",
                   "a library that this test does not know"},
        BreachCase{"an_unknown_folder_is_named",
                   "engine/a.cpp",
                   "#include \"util/a.hpp\"\n",
                   "in no known folder"},
        BreachCase{"a_file_outside_the_table_is_named",
                   "util/a.cpp",
                   "",
                   "no folder of this map holds it"},
        BreachCase{"a_comment_is_no_include", "core/a.cpp", "// #include \"cli/main.hpp\"\n", ""}),
    [](const auto& row) { return row.param.name; });

}  // namespace
