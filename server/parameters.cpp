#include "server/parameters.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "server/target.hpp"

namespace skep::server {
namespace {

constexpr std::size_t kLongestName = 40;  ///< Of what somebody sent, as far as it is repeated.

std::string names_of(const Parameters& known) {
  std::string names;
  for (const auto& [name, kind] : known) names += (names.empty() ? "" : ", ") + name;
  return names;
}

Response no_such(const std::string& name, const Parameters& known) {
  return error_response(
      400,
      "there is no parameter " + name.substr(0, kLongestName) + " here; " +
          (known.empty() ? "this path takes none" : "there is " + names_of(known)));
}

/// Nothing where the body is no object, or gives a key twice.
std::optional<nlohmann::json> object_in(const std::string& body) {
  std::set<std::string> keys;
  bool twice = false;
  const auto look = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1)
      twice = twice || !keys.insert(parsed.get<std::string>()).second;
    return true;
  };
  auto object = nlohmann::json::parse(body, look, false);
  if (!object.is_object() || twice) return std::nullopt;
  return object;
}

/// As it would stand in the query; nothing where its type is another.
std::optional<std::string> text_of(const nlohmann::json& value, Parameter kind) {
  if (value.is_string()) return value.get<std::string>();
  if (kind == Parameter::number && value.is_number_integer()) return value.dump();
  return std::nullopt;
}

}  // namespace

std::optional<Response> refuse_unknown(const Request& request, const Parameters& known) {
  for (const auto& [name, value] : request.query) {
    const auto found = known.find(name);
    if (found == known.end()) return no_such(name, known);
    if (value.empty() && found->second != Parameter::text)
      return error_response(400, "the parameter " + name + " is empty; leave it out, or give it");
  }
  return std::nullopt;
}

std::optional<Response> take_body(Request& request, const Parameters& known) {
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return std::nullopt;
  const auto object = object_in(request.body);
  if (!object) {
    return error_response(400,
                          known.empty()
                              ? "this path takes no body, or an empty JSON object"
                              : "the body must be one JSON object with no key twice; there is " +
                                    names_of(known) + ", which the query may give as well");
  }
  for (const auto& [name, value] : object->items()) {
    const auto found = known.find(name);
    if (found == known.end()) return no_such(name, known);
    auto text = text_of(value, found->second);
    if (!text)
      return error_response(400,
                            name + " in the body must be a " +
                                (found->second == Parameter::number ? "whole number" : "string"));
    if (!is_plain_text(*text))
      return error_response(400, name + " in the body holds a control character");
    const auto [at, added] = request.query.try_emplace(name, *text);
    if (!added && at->second != *text)
      return error_response(400, "the query and the body give different values for " + name);
  }
  return std::nullopt;
}

}  // namespace skep::server
