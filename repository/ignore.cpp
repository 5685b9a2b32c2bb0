#include "repository/ignore.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "swarm/fields.hpp"
#include "swarm/labels.hpp"

namespace skep::repository {
namespace {

using Path = std::span<const std::string>;
using swarm::HasFields;
using swarm::Presence;
using swarm::StringMap;

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

std::optional<std::size_t> index_of(const std::string& token) {
  std::size_t index = 0;
  const auto* end = token.data() + token.size();
  const auto [at, error] = std::from_chars(token.data(), end, index);
  const bool plain = error == std::errc() && at == end && (token.size() == 1 || token[0] != '0');
  return plain ? std::optional(index) : std::nullopt;
}

/// Whether values of the type can have such a place.
template <typename T>
bool can_have(Path path) {
  if (path.empty()) return true;
  if constexpr (IsOptional<T>::value) {
    return can_have<typename T::value_type>(path);
  } else if constexpr (IsVector<T>::value) {
    return index_of(path[0]) && can_have<typename T::value_type>(path.subspan(1));
  } else if constexpr (std::is_same_v<T, StringMap>) {
    return path.size() == 1;
  } else if constexpr (HasFields<T>) {
    bool found = false;
    T value{};
    T::fields(value, [&](std::string_view name, auto& member, Presence /*presence*/ = {}) {
      if (name == path[0]) found = can_have<std::remove_cvref_t<decltype(member)>>(path.subspan(1));
    });
    return found;
  } else {
    return false;
  }
}

template <typename T>
void carry(T& into, const T& from, Path path);

/// The variable of that name in a list of "NAME=value".
auto find_variable(std::vector<std::string>& list, const std::string& name) {
  return std::find_if(list.begin(), list.end(), [&](const std::string& element) {
    return element == name || element.starts_with(name + "=");
  });
}

void carry_variable(std::vector<std::string>& into,
                    std::vector<std::string> from,
                    const std::string& name) {
  const auto live = find_variable(from, name);
  const auto at = find_variable(into, name);
  if (live == from.end()) {
    if (at != into.end()) into.erase(at);
  } else if (at != into.end()) {
    *at = *live;
  } else {  // Where it stands in live: their order counts (rule E3.17).
    const auto index = std::min(live - from.begin(), std::ssize(into));
    into.insert(into.begin() + index, *live);
  }
}

/// What stands at a number is another thing where somebody put something in before it: a variable
/// is known by its name, and of another list of another length all is somebody else's business.
template <typename T>
void carry_element(std::vector<T>& into, const std::vector<T>& from, Path path) {
  const auto index = index_of(path[0]);
  if constexpr (std::is_same_v<T, std::string>) {
    if (!index) return carry_variable(into, from, path[0]);
    if (*index < into.size() && into[*index].find('=') != std::string::npos)
      return carry_variable(into, from, into[*index].substr(0, into[*index].find('=')));
  }
  if (!index) return;
  if (into.size() != from.size()) {
    into = from;
  } else if (*index < into.size()) {
    carry(into[*index], from[*index], path.subspan(1));
  }
}

template <typename T>
void carry_member(T& into, const T& from, Path path) {
  const void* source = nullptr;
  T::fields(from, [&](std::string_view name, const auto& member, Presence /*presence*/ = {}) {
    if (name == path[0]) source = &member;
  });
  T::fields(into, [&](std::string_view name, auto& member, Presence /*presence*/ = {}) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if (name == path[0])
      carry<Member>(member, *static_cast<const Member*>(source), path.subspan(1));
  });
}

template <typename T>
void carry(T& into, const T& from, Path path) {
  if (path.empty()) {
    into = from;
  } else if constexpr (IsOptional<T>::value) {
    if (!from && !into) return;
    if (!into) into.emplace();
    carry(*into, from ? *from : typename T::value_type{}, path);
  } else if constexpr (IsVector<T>::value) {
    carry_element(into, from, path);
  } else if constexpr (std::is_same_v<T, StringMap>) {
    if (const auto at = from.find(path[0]); at != from.end()) {
      into[path[0]] = at->second;
    } else {
      into.erase(path[0]);
    }
  } else if constexpr (HasFields<T>) {
    carry_member(into, from, path);
  }
}

Error wrong(std::string_view text, const std::string& why) {
  return {ErrorKind::invalid_input, "\"" + std::string(text) + "\" " + why};
}

}  // namespace

Result<ServicePointer> parse_service_pointer(std::string_view text) {
  if (!text.starts_with('/')) {
    return wrong(text, "is no JSON pointer: it starts with /, such as /Mode/Replicated/Replicas");
  }
  ServicePointer path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      path.emplace_back();
    } else if (text[i] != '~') {
      path.back() += text[i];
    } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
      path.back() += text[++i] == '0' ? '~' : '/';
    } else {
      return wrong(text, "is no JSON pointer: ~ must be written ~0, and / inside a name ~1");
    }
  }
  if (path.size() == 1 && path[0] == "Name")
    return wrong(text, "cannot be ignored: a service is known by its name");
  auto place = path;
  // A variable may be named instead of counted.
  if (place.size() > 1 && place[place.size() - 2] == "Env" && !place.back().empty())
    place.back() = "0";
  if (!can_have<swarm::ServiceSpec>(place)) {
    return wrong(text,
                 "points to nothing that a service has; the names are those of the Engine API, as "
                 "`skep render STACK -o json` shows them");
  }
  return path;
}

void carry_live(swarm::ServiceSpec& desired,
                const swarm::ServiceSpec& live,
                const ServicePointer& path) {
  static const ServicePointer kImage = {"TaskTemplate", "ContainerSpec", "Image"};
  carry(desired, live, path);
  // The text of the image is kept beside it, and both are compared together.
  if (path == kImage) carry_live(desired, live, {"Labels", std::string(swarm::kImageLabel)});
}

}  // namespace skep::repository
