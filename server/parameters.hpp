#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "server/message.hpp"

namespace skep::server {

/// What a path may be asked beside what stands in it.
enum class Parameter {
  text,    ///< May be empty.
  word,    ///< Not empty: a script's empty variable must not mean "as if nothing was asked".
  number,  ///< A whole number; in JSON without quotes, too.
};
using Parameters = std::map<std::string, Parameter, std::less<>>;

/// 400 where the query gives anything else: what is misspelt would be one that is left out, such as
/// a suspension's end.
[[nodiscard]] std::optional<Response> refuse_unknown(const Request& request,
                                                     const Parameters& known);

/// Takes what a JSON object in the body gives into the query, as if it stood there. 400 for a body
/// that is anything else, and for what contradicts the query.
[[nodiscard]] std::optional<Response> take_body(Request& request, const Parameters& known);

}  // namespace skep::server
