#include "swarm/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"

namespace skep::swarm {
namespace {

/// Appends JSON to a string: compact, or indented where `indent` is not negative.
class Writer {
 public:
  explicit Writer(int indent) : indent_(indent) {}

  std::string take() && { return std::move(text_); }
  void reserve(std::size_t size) { text_.reserve(size); }

  template <typename Members>
  void object(Members members) {
    const bool outer_first = first_;
    text_ += '{';
    ++depth_;
    first_ = true;
    members();
    --depth_;
    if (!first_) new_line();
    text_ += '}';
    first_ = outer_first;
  }
  void key(std::string_view name) {
    separate();
    value(name);
    text_ += indent_ < 0 ? ":" : ": ";
  }
  void null() { text_ += "null"; }
  /// Text that is JSON inside quotes already: base64.
  void quoted(std::string_view text) { (text_ += '"').append(text) += '"'; }

  void value(std::string_view text) {
    const bool plain =
        text.find_first_of("\"\\") == std::string_view::npos &&
        std::all_of(text.begin(), text.end(), [](char c) {
          return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f;
        });
    if (plain) {
      quoted(text);
    } else {
      text_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
  }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(bool flag) { text_ += flag ? "true" : "false"; }
  template <typename Integer>
  requires std::is_integral_v<Integer>
  void value(Integer number) { text_ += std::to_string(number); }
  void value(Nanoseconds duration) { text_ += std::to_string(duration.count()); }
  void value(float number) {
    if (!std::isfinite(number)) number = 0;  // No JSON for it; the loader refuses it before.
    // The shortest text that reads back as the same 32-bit number; exponents as Go writes them.
    const float size = std::fabs(number);
    const bool scientific = size != 0 && (size < 1e-6F || size >= 1e21F);
    std::array<char, 64> buffer{};
    const auto end =
        std::to_chars(buffer.data(),
                      buffer.data() + buffer.size(),
                      number,
                      scientific ? std::chars_format::scientific : std::chars_format::fixed)
            .ptr;
    std::string digits(buffer.data(), end);
    const auto padded = digits.find("e-0");
    if (padded != std::string::npos) digits.erase(padded + 2, 1);
    text_ += digits;
  }
  template <typename T>
  void value(const std::vector<T>& list) {
    const bool outer_first = first_;
    text_ += '[';
    ++depth_;
    first_ = true;
    for (const auto& element : list) {
      separate();
      value(element);
    }
    --depth_;
    if (!first_) new_line();
    text_ += ']';
    first_ = outer_first;
  }
  void value(const StringMap& map) {
    object([&] {
      for (const auto& [name, text] : map) {
        key(name);
        value(text);
      }
    });
  }
  template <HasFields T>
  void value(const T& fields) {
    object([&] { members(fields); });
  }
  template <HasFields T>
  void members(const T& fields) {
    T::fields(fields, [&](std::string_view name, const auto& field, Presence presence = {}) {
      member(name, field, presence);
    });
  }
  template <typename T>
  void member(std::string_view name, const T& field, Presence presence = Presence::always) {
    const bool empty = is_empty(field);
    if (empty && presence == Presence::omit_empty) return;
    key(name);
    write(field);
  }

 private:
  template <typename T>
  static bool is_empty(const T& field) {
    if constexpr (HasFields<T>) {
      return false;  // A struct by value is always there.
    } else {
      return field == T{};
    }
  }
  template <typename T>
  static bool is_empty(const std::optional<T>& field) {
    return !field;
  }
  // What Go calls nil is null.
  template <typename T>
  void write(const T& field) {
    value(field);
  }
  template <typename T>
  void write(const std::optional<T>& field) {
    field ? value(*field) : null();
  }
  template <typename T>
  void write(const std::vector<T>& field) {
    field.empty() ? null() : value(field);
  }
  void write(const StringMap& field) { field.empty() ? null() : value(field); }

  void separate() {
    if (!first_) text_ += ',';
    first_ = false;
    new_line();
  }
  void new_line() {
    if (indent_ < 0) return;
    text_ += '\n';
    text_.append(static_cast<std::size_t>(indent_ * depth_), ' ');
  }

  std::string text_;
  int indent_;
  int depth_ = 0;
  bool first_ = true;
};

template <typename Spec>
void named(Writer& out, const Spec& spec) {
  out.member("Name", spec.name);
  out.member("Labels", spec.labels);
}

void drivers(Writer& out, const SecretSpec& spec) {
  out.member("Driver", spec.driver, Presence::omit_empty);
  out.member("Templating", spec.templating, Presence::omit_empty);
}

}  // namespace

std::string to_json(const ServiceSpec& spec, int indent) {
  Writer out(indent);
  out.value(spec);
  return std::move(out).take();
}

std::string to_json(const NetworkSpec& spec, int indent) {
  Writer out(indent);
  out.object([&] {  // The order and the constant members of rule C2.3.
    out.member("Name", spec.name);
    out.member("Driver", spec.driver);
    out.key("Scope");
    out.value(std::string_view());
    out.key("IPAM");
    if (spec.ipam) {
      out.object([&] {
        out.member("Driver", spec.ipam->driver);
        out.key("Options");
        out.null();
        out.member("Config", spec.ipam->config);
      });
    } else {
      out.null();
    }
    out.member("Internal", spec.internal);
    out.member("Attachable", spec.attachable);
    out.member("Ingress", false);
    out.member("ConfigOnly", false);
    out.key("ConfigFrom");
    out.null();
    out.member("Options", spec.options);
    out.member("Labels", spec.labels);
    out.member("CheckDuplicate", true);  // Engines from API 1.44 on do not read it.
  });
  return std::move(out).take();
}

std::string to_json(const ConfigSpec& spec, int indent) {
  Writer out(indent);
  out.object([&] {
    named(out, spec);
    if (!spec.data.empty()) {
      out.key("Data");
      out.quoted(base64(spec.data));
    }
    out.member("Templating", spec.templating, Presence::omit_empty);
  });
  return std::move(out).take();
}

Secret to_json(const SecretSpec& spec) {
  const Secret data(base64(spec.data.reveal()));
  Writer out(-1);
  out.reserve(data.size() + 64 * 1024);  // Growing would leave copies of the data behind.
  out.object([&] {
    named(out, spec);
    if (!data.empty()) {
      out.key("Data");
      out.quoted(data.reveal());
    }
    drivers(out, spec);
  });
  return Secret(std::move(out).take());
}

std::string to_masked_json(const SecretSpec& spec, int indent) {
  Writer out(indent);
  out.object([&] {
    named(out, spec);
    if (!spec.data.empty()) {
      out.key("Data");
      out.quoted("***");
    }
    drivers(out, spec);
  });
  return std::move(out).take();
}

}  // namespace skep::swarm
