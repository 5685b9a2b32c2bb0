#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "helm-like-templates/renderer/secrets.hpp"
#include "helm-like-templates/renderer/value.hpp"

namespace skep::templates {

/// A template's text and the name under which errors show it and `include` finds it.
struct Source {
  std::string name;  ///< "web-app/templates/app.yml"
  std::string text;
};

/// What one rendering may cost; over any of them is an error that names the limit.
struct Limits {
  std::size_t steps = 2'000'000;    ///< Actions, calls and rounds of loops; long texts count more.
  int depth = 100;                  ///< Templates inside of templates (template, include, tpl).
  std::size_t output = 4U << 20U;   ///< Bytes of the result.
  std::size_t memory = 64U << 20U;  ///< Bytes of all values that functions build on the way.
};

/// Reads a file of the stack's or the template's tree for `.Files.Get`; nothing where there is no
/// such file. The callee decides what a path may reach.
using FileLookup = std::function<Result<std::optional<std::string>>(const std::string&)>;

/// The data of a template: `.Values .Stack .Cluster .Environment .Files` (design: Templates).
struct Context {
  Value values;
  Value stack;    ///< Map: name, group, path.
  Value cluster;  ///< Map: the cluster's variables and name.
  std::string environment;
  FileLookup files;
  Secrets* secrets = nullptr;  ///< Null where there are none to care for.
};

/// Sources that were parsed once, to be rendered with any data. Cheap to copy; safe from several
/// threads.
class Parsed {
 public:
  /// All belong together, so that what `_helpers.tpl` defines can be included; a later definition
  /// of a name replaces an earlier one. Errors: invalid_input, positioned.
  static Result<Parsed> from(const std::vector<Source>& sources);

  struct State;
  [[nodiscard]] const State& state() const noexcept { return *state_; }

 private:
  explicit Parsed(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Renders the source named `main`. Swarm's own placeholders (`{{.Node.Hostname}}`) come out as
/// they stand. The context is not changed, whatever `set` does. Errors: invalid_input with the
/// position of the expression that failed.
Result<std::string> render(const Parsed& parsed,
                           const std::string& main,
                           const Context& context,
                           const Limits& limits = {});

/// The same of sources that are rendered once.
Result<std::string> render(const std::vector<Source>& sources,
                           const std::string& main,
                           const Context& context,
                           const Limits& limits = {});

/// The same with a root of any shape; `.Files.Get` finds nothing unless `files` is given.
Result<std::string> render(const std::vector<Source>& sources,
                           const std::string& main,
                           const Value& data,
                           const Limits& limits = {},
                           const FileLookup& files = {},
                           Secrets* secrets = nullptr);

}  // namespace skep::templates
