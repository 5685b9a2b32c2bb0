#include <cmath>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "helm-like-templates/renderer/data_text.hpp"
#include "helm-like-templates/renderer/literal.hpp"
#include "helm-like-templates/renderer/unicode.hpp"
#include "yaml/parse.hpp"

namespace skep::templates {
namespace {

class JsonWriter {
 public:
  JsonWriter(Env& env, const JsonStyle& style) : env_(env), style_(style) {}

  std::string out;

  Result<void> value(const Value& value, int depth) {
    if (depth > kMaxNesting) return failure("the value is nested too deeply; does it hold itself?");
    if (auto paid = env_.spend(1); !paid) return paid;
    if (out.size() > env_.room()) return env_.charge(out.size());
    if (value.is_nil()) {
      out += "null";
    } else if (const auto* truth = value.boolean()) {
      out += *truth ? "true" : "false";
    } else if (const auto* number = value.integer()) {
      out += std::to_string(number->value);
    } else if (const auto* real = value.real()) {
      if (!std::isfinite(*real)) return failure("JSON and YAML here have no such number");
      out += json_number(*real);
    } else if (const auto* text = value.text()) {
      string(*text);
    } else if (const auto* list = value.list()) {
      return this->list(*list, depth);
    } else {
      return map(*value.map(), depth);
    }
    return {};
  }

 private:
  void line(int depth) {
    if (style_.pretty) out += '\n' + std::string(static_cast<std::size_t>(depth) * 2, ' ');
  }

  Result<void> list(const List& list, int depth) {
    if (list.nil || list.items.empty()) {
      out += list.nil ? "null" : "[]";
      return {};
    }
    char before = '[';
    for (const auto& item : list.items) {
      out += before;
      before = ',';
      line(depth + 1);
      if (auto done = value(item, depth + 1); !done) return done;
    }
    line(depth);
    out += ']';
    return {};
  }

  Result<void> map(const Map& map, int depth) {
    if (map.type == Map::Type::version) {
      string(*map.entries.at("String").text());
      return {};
    }
    if (map.nil || map.entries.empty()) {
      out += map.nil ? "null" : "{}";
      return {};
    }
    char before = '{';
    for (const auto& [key, item] : map.entries) {
      out += before;
      before = ',';
      line(depth + 1);
      string(key);
      out += style_.pretty ? ": " : ":";
      if (auto done = value(item, depth + 1); !done) return done;
    }
    line(depth);
    out += '}';
    return {};
  }

  void string(std::string_view text) {
    out += '"';
    while (!text.empty()) {
      const auto next = decode(text);
      const auto rune = next.rune;
      text.remove_prefix(next.size);
      if (rune == '"' || rune == '\\') {
        out += '\\';
        out += static_cast<char>(rune);
      } else if (rune == '\n') {
        out += "\\n";
      } else if (rune == '\r') {
        out += "\\r";
      } else if (rune == '\t') {
        out += "\\t";
      } else if (!next.valid) {
        out += "\\ufffd";
      } else if (rune < ' ' || rune == 0x2028 || rune == 0x2029 ||
                 (style_.html && (rune == '<' || rune == '>' || rune == '&'))) {
        char buffer[8];
        std::snprintf(buffer, sizeof(buffer), "\\u%04x", static_cast<unsigned>(rune));
        out += buffer;
      } else {
        append(out, rune);
      }
    }
    out += '"';
  }

  Env& env_;
  const JsonStyle& style_;
};

Result<Value> from_json_value(const nlohmann::json& json, int depth) {
  if (depth > kMaxNesting) return failure("the JSON is nested too deeply");
  switch (json.type()) {
    case nlohmann::json::value_t::boolean:
      return Value(json.get<bool>());
    case nlohmann::json::value_t::number_integer:
      return Value(json.get<std::int64_t>());
    case nlohmann::json::value_t::number_unsigned:
      if (const auto whole = json.get<std::uint64_t>(); whole >> 63U == 0)
        return Value(static_cast<std::int64_t>(whole));
      return Value(json.get<double>());
    case nlohmann::json::value_t::number_float:
      return Value(json.get<double>());
    case nlohmann::json::value_t::string:
      return Value(json.get<std::string>());
    case nlohmann::json::value_t::array: {
      List list;
      for (const auto& item : json) {
        auto value = from_json_value(item, depth + 1);
        if (!value) return value;
        list.items.push_back(std::move(*value));
      }
      return Value(std::move(list));
    }
    case nlohmann::json::value_t::object: {
      Map map;
      for (const auto& [key, item] : json.items()) {
        auto value = from_json_value(item, depth + 1);
        if (!value) return value;
        map.entries.insert_or_assign(key, std::move(*value));
      }
      return Value(std::move(map));
    }
    default:
      return Value();
  }
}

// Reading makes much of little text.
Result<void> pay_for_reading(Env& env, std::string_view text) {
  if (auto paid = env.spend(text.size() / 8); !paid) return paid;
  return env.charge(text.size() * 16);
}

}  // namespace

std::string json_number(double number) {
  const double size = std::abs(number);
  if (size == 0) return std::signbit(number) ? "-0" : "0";
  if (size >= 1e-6 && size < 1e21) return format_float(number, 'f', -1);
  auto text = format_float(number, 'e', -1);
  // e-09 is e-9
  if (const auto at = text.find("e-0"); at != std::string::npos) text.erase(at + 2, 1);
  return text;
}

Result<std::string> to_json(Env& env, const Value& value, const JsonStyle& style) {
  JsonWriter writer(env, style);
  if (auto done = writer.value(value, 0); !done) return std::move(done).error();
  return std::move(writer.out);
}

Result<Value> from_json(Env& env, std::string_view text) {
  if (auto paid = pay_for_reading(env, text); !paid) return std::move(paid).error();
  try {
    return from_json_value(nlohmann::json::parse(text), 0);
  } catch (const nlohmann::json::exception& wrong) {
    const std::string_view what = wrong.what();
    const auto bracket = what.find("] ");
    return failure("invalid JSON: " + std::string(bracket == std::string_view::npos
                                                      ? what
                                                      : what.substr(bracket + 2)));
  }
}

Result<Value> from_yaml(Env& env, std::string_view text) {
  if (auto paid = pay_for_reading(env, text); !paid) return std::move(paid).error();
  yaml::Limits limits;
  limits.depth = kMaxNesting;
  limits.nodes = std::min<std::size_t>(limits.nodes, env.room() / 128 + 16);
  auto node = yaml::parse(text, "text", limits);
  if (!node) return failure("invalid YAML: " + to_string(node.error()));
  return Value::from(*node);
}

}  // namespace skep::templates
