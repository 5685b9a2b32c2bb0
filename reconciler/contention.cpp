#include "reconciler/contention.hpp"

#include <algorithm>
#include <set>

#include "diff/flatten.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMost = 3;
constexpr auto kWindow = 10min;

bool is_index(const std::string& token) {
  return !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
}

/// The pointer up to the first list; nothing where it is no place of a service.
repository::ServicePointer place_of(const std::string& pointer) {
  auto path = repository::parse_service_pointer(pointer);
  if (!path) return {};
  const auto list = std::find_if(path->begin(), path->end(), is_index);
  path->erase(list, path->end());
  return *std::move(path);
}

}  // namespace

void Contention::corrected(const std::string& service,
                           const repository::ServicePointer& path,
                           SteadyTime now) {
  auto& times = corrections_[{service, path}];
  times.push_back(now);
  while (times.size() > kMost + 1) times.pop_front();
}

std::vector<Contention::Field> Contention::contended(SteadyTime now) const {
  std::vector<Field> fields;
  for (const auto& [field, times] : corrections_) {
    const bool often = times.size() > kMost && times.back() - times.front() <= kWindow;
    if (often && now - times.back() < kWindow)
      fields.push_back({field.first, field.second, times.back() + kWindow});
  }
  return fields;
}

std::vector<repository::ServicePointer> differing_places(const swarm::ServiceSpec& desired,
                                                         const swarm::ServiceSpec& live) {
  const auto wanted = diff::Flatten::of(desired);
  const auto found = diff::Flatten::of(live);
  std::set<repository::ServicePointer> places;
  const auto compare = [&](const auto& one, const auto& other) {
    for (const auto& [pointer, value] : one) {
      const auto at = other.find(pointer);
      if (at != other.end() && at->second == value) continue;
      if (auto place = place_of(pointer); !place.empty()) places.insert(std::move(place));
    }
  };
  compare(wanted, found);
  compare(found, wanted);
  return {places.begin(), places.end()};
}

std::string to_text(const repository::ServicePointer& path) {
  std::string text;
  for (const auto& token : path) {
    text += '/';
    for (const char c : token) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return text;
}

}  // namespace skep::reconciler
