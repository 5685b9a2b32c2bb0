#include "tests/catalog/shipped.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "compose/compose.hpp"
#include "tests/paths.hpp"

namespace skep::catalog {
namespace {

class NoFiles final : public FileReader {
 public:
  Result<std::optional<std::string>> read(const std::string& /*path*/) const override {
    return std::optional<std::string>("content");
  }
};

}  // namespace

std::filesystem::path source_folder() {
  return std::filesystem::path(SKEP_SOURCE_DIR) / "helm-like-templates/catalog";
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string text_of(const Template& shipped, std::string_view path) {
  for (const auto& file : shipped.files) {
    if (file.path == path) return std::string(file.text);
  }
  ADD_FAILURE() << shipped.name << " has no " << path;
  return "";
}

package::Package package_of(const Template& shipped) {
  package::Package::Files files;
  for (const auto& file : shipped.files) files.emplace(file.path, file.text);
  const std::string name(shipped.name);
  return package::Package::from(name, name, std::move(files));
}

package::Output rendered(const Template& shipped,
                         const std::string& values,
                         std::vector<package::Setting> settings) {
  package::Input input;
  input.values = {{"values.yaml", values}};
  input.values_place = "values.yaml";
  input.settings = std::move(settings);
  templates::Map stack;
  for (const auto* key : {"Name", "name"})
    stack.entries.emplace(key, templates::Value("My.Stack_1"));
  input.stack = templates::Value(std::move(stack));
  input.cluster = templates::Value(templates::Map());
  input.files = [](const std::string&) { return Result<std::optional<std::string>>(std::nullopt); };
  return package::render(package_of(shipped), input);
}

std::string mistakes_in(const std::string& text) {
  const NoFiles reader;
  compose::Input input;
  input.stack = *swarm::StackName::parse("x");
  input.files = {{"rendered.yml", text}};
  input.working_directory = "/srv/x";
  input.reader = &reader;
  return to_string(compose::load(input).findings);
}

}  // namespace skep::catalog
