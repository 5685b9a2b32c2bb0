#include "helm-like-templates/renderer/render.hpp"

#include "helm-like-templates/renderer/exec.hpp"
#include "helm-like-templates/renderer/parser.hpp"

namespace skep::templates {

struct Parsed::State {
  Templates templates;
};

namespace {

Result<std::string> run(const Parsed& parsed,
                        const std::string& main,
                        const Value& data,
                        const Limits& limits,
                        const FileLookup& files,
                        Secrets* secrets) {
  Executor executor(parsed.state().templates, limits, files, secrets);
  return executor.run(main, data);
}

}  // namespace

Result<Parsed> Parsed::from(const std::vector<Source>& sources) {
  auto state = std::make_shared<State>();
  for (const auto& source : sources) {
    const auto text = std::make_shared<const Text>(Text{source.name, source.text});
    if (auto parsed = parse(text, state->templates); !parsed) return std::move(parsed).error();
  }
  return Parsed(std::move(state));
}

Result<std::string> render(const std::vector<Source>& sources,
                           const std::string& main,
                           const Value& data,
                           const Limits& limits,
                           const FileLookup& files,
                           Secrets* secrets) {
  const auto parsed = Parsed::from(sources);
  if (!parsed) return parsed.error();
  return run(*parsed, main, data, limits, files, secrets);
}

Result<std::string> render(const std::vector<Source>& sources,
                           const std::string& main,
                           const Context& context,
                           const Limits& limits) {
  const auto parsed = Parsed::from(sources);
  if (!parsed) return parsed.error();
  return render(*parsed, main, context, limits);
}

Result<std::string> render(const Parsed& parsed,
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
  return run(parsed, main, Value(std::move(root)), limits, context.files, context.secrets);
}

}  // namespace skep::templates
