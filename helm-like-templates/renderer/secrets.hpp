#pragma once

#include <string>

namespace skep::templates {

/// The decrypted texts among a template's data, and what functions make of them.
class Secrets {
 public:
  virtual ~Secrets() = default;
  /// Whether the text is or holds one, or what stands for one.
  [[nodiscard]] virtual bool holds(const std::string& text) const = 0;
  /// A function made this of one, and it shows none: it is as secret.
  virtual void derived(const std::string& text) = 0;
  /// There is no key, and kStandIn stands for each: what a function cannot do with it is no
  /// mistake of the template.
  [[nodiscard]] virtual bool masked() const = 0;

  static constexpr const char* kStandIn = "***";
};

}  // namespace skep::templates
