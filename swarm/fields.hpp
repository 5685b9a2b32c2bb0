#pragma once

#include <concepts>
#include <string_view>

namespace skep::swarm {

/// Whether a field is in the JSON that the Docker CLI would send when it holds its type's empty
/// value ("" 0 false, no elements, no value): the `omitempty` of the engine's own types.
enum class Presence { omit_empty, always };

struct FieldsProbe {
  template <typename T>
  void operator()(std::string_view /*name*/,
                  T& /*member*/,
                  Presence /*presence*/ = Presence::omit_empty) const {}
};

/// A struct that lists its fields once: `static void fields(auto& self, auto&& visit)` calls
/// `visit("JsonName", self.member, presence)` for each, in the engine's order. Codec, comparison
/// and diff all walk that list, so a new field is one line.
template <typename T>
concept HasFields = requires(T& value) {
  T::fields(value, FieldsProbe{});
};

}  // namespace skep::swarm
