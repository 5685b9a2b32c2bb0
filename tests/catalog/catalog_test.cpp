#include "helm-like-templates/catalog/catalog.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>

#include "helm-like-templates/package/schema.hpp"
#include "tests/catalog/shipped.hpp"
#include "tests/paths.hpp"
#include "yaml/parse.hpp"

namespace skep::catalog {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::filesystem::path kData =
    std::filesystem::path(SKEP_SOURCE_DIR) / "tests/testdata/catalog";

class CatalogTest : public testing::TestWithParam<std::string> {
 protected:
  const Template& shipped() const { return *find(GetParam()); }
  std::filesystem::path data() const { return kData / GetParam(); }
};

TEST_P(CatalogTest, IsAGoodFolder) {
  const auto package = package_of(shipped());
  EXPECT_THAT(package.findings(), IsEmpty()) << to_string(package.findings());
  EXPECT_FALSE(package.version().empty());
  EXPECT_FALSE(package.description().empty());
  ASSERT_NE(package.schema(), nullptr);
  EXPECT_THAT(package::unknown_keywords(*package.schema()), IsEmpty())
      << to_string(package::unknown_keywords(*package.schema()));
}

TEST_P(CatalogTest, IsTheFolderInTheSourceTree) {
  for (const auto& file : shipped().files)
    EXPECT_EQ(std::string(file.text), slurp(source_folder() / GetParam() / file.path)) << file.path;
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(source_folder() / GetParam()))
    count += entry.is_regular_file() ? 1U : 0U;
  EXPECT_EQ(count, shipped().files.size());
}

TEST_P(CatalogTest, RendersItsExampleAsBefore) {
  const auto output = rendered(shipped(), slurp(data() / "values.yaml"));
  ASSERT_THAT(output.findings, IsEmpty()) << to_string(output.findings);
  ASSERT_EQ(output.documents.size(), 1U);
  const auto golden = data() / "rendered.yml";
  if (std::getenv("SKEP_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden) << output.documents[0].text;
    GTEST_SKIP() << "rewrote " << golden;
  }
  EXPECT_EQ(output.documents[0].text, slurp(golden));
  EXPECT_THAT(mistakes_in(output.documents[0].text), IsEmpty());
}

TEST_P(CatalogTest, ItsReadmeShowsTheExample) {
  std::string indented;
  std::istringstream lines(slurp(data() / "values.yaml"));
  for (std::string line; std::getline(lines, line);) indented += "    " + line + "\n";
  EXPECT_THAT(text_of(shipped(), "README.md"), HasSubstr(indented));
}

TEST_P(CatalogTest, EveryKeyOfItsValuesHasAComment) {
  std::istringstream lines(text_of(shipped(), "values.yaml"));
  std::string before;
  for (std::string line; std::getline(lines, line); before = line) {
    const auto from = line.find_first_not_of(' ');
    if (from == std::string::npos || line[from] == '#' || line[from] == '-') continue;
    const auto above = before.find_first_not_of(' ');
    EXPECT_TRUE(above != std::string::npos && before[above] == '#') << line;
  }
}

void expect_same_keys(const yaml::Node& schema, const yaml::Node& values, const std::string& at) {
  const auto* properties = schema.find("properties");
  if (properties == nullptr || values.as<yaml::Map>() == nullptr) return;
  for (const auto& property : *properties->as<yaml::Map>()) {
    const auto* value = values.find(property.key);
    // What has no default stands in a comment.
    if (value != nullptr) expect_same_keys(property.value, *value, at + property.key + ".");
    if (!at.empty()) continue;
    EXPECT_NE(value, nullptr) << property.key << " is not in values.yaml";
  }
  for (const auto& entry : *values.as<yaml::Map>())
    EXPECT_NE(properties->find(entry.key), nullptr) << at << entry.key << " is not in the schema";
}

TEST_P(CatalogTest, SchemaAndValuesHaveTheSameKeys) {
  const auto package = package_of(shipped());
  expect_same_keys(*package.schema(), package.defaults(), "");
}

TEST_P(CatalogTest, AWrongKeyOrTypeIsShownWhereItIsWritten) {
  const auto example = slurp(data() / "values.yaml");
  const auto line = std::count(example.begin(), example.end(), '\n') + 1;
  const auto unknown = to_string(rendered(shipped(), example + "imagge: x\n").findings);
  EXPECT_THAT(unknown,
              HasSubstr("values.yaml:" + std::to_string(line) + ":1: error: unknown key imagge"));
  const auto type = to_string(rendered(shipped(), example, {{"resources=7", false}}).findings);
  EXPECT_THAT(type, HasSubstr("--set resources: error: resources must be a mapping"));
}

/// The schema that stands behind a reference.
const yaml::Node& resolved(const yaml::Node& root, const yaml::Node& schema) {
  const auto* reference = schema.find("$ref");
  if (reference == nullptr) return schema;
  const auto& path = *reference->as<std::string>();
  return *root.find("definitions")->find(path.substr(path.rfind('/') + 1));
}

bool has_type(const yaml::Node& schema, std::string_view name) {
  const auto* type = schema.find("type");
  if (type == nullptr) return false;
  if (const auto* one = type->as<std::string>()) return *one == name;
  const auto* several = type->as<yaml::List>();
  return std::any_of(several->begin(), several->end(), [name](const yaml::Node& node) {
    return *node.as<std::string>() == name;
  });
}

/// Values to try for a key, by its schema: all that it names, or such of its type.
std::vector<std::string> tries(const yaml::Node& root, const yaml::Node& schema) {
  std::vector<std::string> values;
  if (const auto* named = schema.find("enum")) {
    for (const auto& value : *named->as<yaml::List>()) {
      if (const auto* text = value.as<std::string>()) values.push_back(*text);
      if (const auto* number = value.as<std::int64_t>()) values.push_back(std::to_string(*number));
    }
    return values;
  }
  if (const auto* any = schema.find("anyOf")) {
    for (const auto& one : *any->as<yaml::List>()) {
      const auto more = tries(root, resolved(root, one));
      values.insert(values.end(), more.begin(), more.end());
    }
    return values;
  }
  if (has_type(schema, "boolean")) values.insert(values.end(), {"true", "false"});
  if (has_type(schema, "integer") || has_type(schema, "number"))
    values.insert(values.end(), {"0", "1", "17"});
  if (has_type(schema, "string")) {
    for (const auto* text : {"x",
                             "10s",
                             "0.5",
                             "64M",
                             "/a b",
                             "a.example.com",
                             "@daily",
                             R"(q"u'o: #{t} \\)",
                             "yes",
                             "- a",
                             "line\nbreak"})
      values.emplace_back(text);
  }
  if (has_type(schema, "array")) values.insert(values.end(), {"{x}", "{a b,c: d,- e}", "{}"});
  return values;
}

using Visit = std::function<void(const std::string&, const yaml::Node&)>;

/// Every key of a schema, as --set names it. Entries of a map that people name are called "entry".
void each_key(const yaml::Node& root,
              const yaml::Node& reference,
              const std::string& path,
              const Visit& visit) {
  const auto& schema = resolved(root, reference);
  if (!path.empty()) visit(path, schema);
  const auto below = [&path](const std::string& key) {
    return path.empty() ? key : path + "." + key;
  };
  if (const auto* properties = schema.find("properties")) {
    for (const auto& property : *properties->as<yaml::Map>())
      each_key(root, property.value, below(property.key), visit);
  }
  const auto* more = schema.find("additionalProperties");
  if (more != nullptr && more->as<yaml::Map>() != nullptr)
    each_key(root, *more, below("entry"), visit);
  if (const auto* items = schema.find("items")) each_key(root, *items, path + "[0]", visit);
}

/// A value that the schema takes must not break the stack: it renders, or the template says what is
/// wrong with it. What it renders to may be a mistake of compose, but never of YAML, and holds the
/// example's services still.
TEST_P(CatalogTest, EachKeyByItselfRendersWithWhateverTheSchemaTakes) {
  const auto example = slurp(data() / "values.yaml");
  const auto services = [](const std::string& text) {
    const auto root = yaml::parse(text, "rendered.yml");
    EXPECT_TRUE(root) << to_string(root.error()) << "\n" << text;
    const auto* found = root ? root->find("services") : nullptr;
    return found == nullptr || found->as<yaml::Map>() == nullptr ? std::size_t{0}
                                                                 : found->as<yaml::Map>()->size();
  };
  const auto package = package_of(shipped());
  std::size_t taken = 0;
  const auto& root = *package.schema();
  each_key(root, root, "", [&](const std::string& key, const yaml::Node& schema) {
    for (const auto& value : tries(root, schema)) {
      const auto output = rendered(shipped(), example, {{key + "=" + value, false}});
      const auto said = to_string(output.findings);
      EXPECT_THAT(said, testing::Not(HasSubstr("cannot be rendered"))) << key << "=" << value;
      EXPECT_THAT(said, testing::Not(HasSubstr("wrong type"))) << key << "=" << value;
      if (has_errors(output.findings)) continue;
      ++taken;
      for (const auto& document : output.documents) {
        EXPECT_GE(services(document.text), 1U) << key << "=" << value;
        const char* directory = std::getenv("SKEP_CATALOG_OUT");
        if (directory == nullptr) continue;
        const auto file = GetParam() + "." + key + "." + std::to_string(taken) + ".yml";
        std::ofstream(std::filesystem::path(directory) / file) << document.text;
      }
    }
  });
  EXPECT_GT(taken, 20U);
}

TEST_P(CatalogTest, HasTheSharedPartsUnchanged) {
  EXPECT_EQ(text_of(shipped(), "templates/_service.tpl"),
            text_of(*find("web-app"), "templates/_service.tpl"));
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& shipped : all()) names.emplace_back(shipped.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, CatalogTest, testing::ValuesIn(names()), [](const auto& row) {
  auto name = row.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Catalog, HasTheTenShapes) {
  EXPECT_THAT(names(),
              testing::ElementsAre("cron",
                                   "monitoring",
                                   "node-agent",
                                   "postgres",
                                   "redis",
                                   "registry",
                                   "traefik",
                                   "web-app",
                                   "web-app-postgres",
                                   "worker"));
}

}  // namespace
}  // namespace skep::catalog
