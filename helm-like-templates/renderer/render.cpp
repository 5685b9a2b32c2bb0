#include "helm-like-templates/renderer/render.hpp"

#include "helm-like-templates/renderer/exec.hpp"
#include "helm-like-templates/renderer/parser.hpp"

namespace skep::templates {

Result<std::string> render(const std::vector<Source>& sources,
                           const std::string& main,
                           const Value& data,
                           const Limits& limits,
                           const FileLookup& files,
                           Secrets* secrets) {
  Templates templates;
  for (const auto& source : sources) {
    const auto text = std::make_shared<const Text>(Text{source.name, source.text});
    if (auto parsed = parse(text, templates); !parsed) return std::move(parsed).error();
  }
  Executor executor(std::move(templates), limits, files, secrets);
  return executor.run(main, data);
}

Result<std::string> render(const std::vector<Source>& sources,
                           const std::string& main,
                           const Context& context,
                           const Limits& limits) {
  Map files;
  files.type = Map::Type::files;
  const auto map_or_empty = [](const Value& value) {
    return value.map() == nullptr ? Value(Map()) : value;
  };
  Map root;
  root.entries.emplace("Values", map_or_empty(context.values));
  root.entries.emplace("Stack", map_or_empty(context.stack));
  root.entries.emplace("Cluster", map_or_empty(context.cluster));
  root.entries.emplace("Environment", Value(context.environment));
  root.entries.emplace("Files", Value(std::move(files)));
  return render(sources, main, Value(std::move(root)), limits, context.files, context.secrets);
}

}  // namespace skep::templates
