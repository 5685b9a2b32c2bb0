#include "gitsync/remote_refs.hpp"

#include <algorithm>

#include "gitsync/one_line.hpp"

namespace skep::gitsync {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::size_t kShown = 10;

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// git-check-ref-format(1), for a name below refs/heads/ or refs/tags/; a leading '-' is refused
/// too, as git does for branches.
bool is_ref_name(std::string_view name) {
  if (name.empty() || name.size() > 1024 || name == "@" || name.front() == '-') return false;
  std::size_t start = 0;
  while (start <= name.size()) {
    const auto end = std::min(name.find('/', start), name.size());
    const auto part = name.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part.front() == '.') return false;
    if (part.size() >= 5 && part.substr(part.size() - 5) == ".lock") return false;
  }
  if (name.back() == '.' || name.find("..") != name.npos || name.find("@{") != name.npos)
    return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F ||
           std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
  });
}

const RemoteRef* find(const std::vector<RemoteRef>& refs, std::string_view name) {
  const auto at = std::find_if(
      refs.begin(), refs.end(), [name](const RemoteRef& ref) { return ref.name == name; });
  return at == refs.end() ? nullptr : &*at;
}

Wanted wanted(const RemoteRef& ref) {
  const bool branch = starts_with(ref.name, kHeads);
  const auto name = ref.name.substr(branch ? kHeads.size() : kTags.size());
  return Wanted{
      .label = (branch ? "branch " : "tag ") + name, .id = ref.id, .refspecs = {ref.name}};
}

/// "branches main, dev; tags v1 and 12 more".
std::string what_exists(const std::vector<RemoteRef>& refs) {
  std::string text;
  std::size_t shown = 0, all = 0;
  for (const auto prefix : {kHeads, kTags}) {
    bool first = true;
    for (const auto& ref : refs) {
      if (!starts_with(ref.name, prefix)) continue;
      if (starts_with(prefix, kTags) && ref.name.find('^') != ref.name.npos) continue;
      ++all;
      if (shown == kShown) continue;
      ++shown;
      if (first)
        text += (text.empty() ? "" : "; ") + std::string(prefix == kHeads ? "branches " : "tags ");
      text += (first ? "" : ", ") + one_line(ref.name.substr(prefix.size()), 100);
      first = false;
    }
  }
  if (all > shown) text += " and " + std::to_string(all - shown) + " more";
  return text;
}

}  // namespace

bool is_commit_id(std::string_view ref) {
  return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == ref.npos;
}

Result<void> check_ref(std::string_view ref) {
  if (ref.empty() || ref == "HEAD" || is_commit_id(ref)) return {};
  auto name = ref;
  if (starts_with(ref, "refs/")) {
    if (starts_with(ref, kHeads))
      name.remove_prefix(kHeads.size());
    else if (starts_with(ref, kTags))
      name.remove_prefix(kTags.size());
    else
      return Error{
          ErrorKind::invalid_input,
          "ref \"" + one_line(ref, 100) + "\": only refs/heads/… and refs/tags/… can be followed"};
  }
  if (!is_ref_name(name))
    return Error{ErrorKind::invalid_input,
                 "\"" + one_line(ref, 100) + "\" is no name that a branch or tag can have"};
  return {};
}

Result<Wanted> pick(std::string_view ref,
                    std::string_view head,
                    const std::vector<RemoteRef>& refs) {
  const bool any = std::any_of(refs.begin(), refs.end(), [](const RemoteRef& one) {
    return starts_with(one.name, kHeads) || starts_with(one.name, kTags);
  });
  if (!any)
    return Error{ErrorKind::invalid_input,
                 "the repository is empty: it has no branch and no tag; push a first commit"};
  if (is_commit_id(ref))
    return Wanted{.label = "commit " + std::string(ref.substr(0, 12)),
                  .id = std::string(ref),
                  .refspecs = {"refs/heads/*", "refs/tags/*"}};
  const std::string name(ref);
  if (ref.empty() || ref == "HEAD") {
    if (const auto* found = find(refs, head); found != nullptr && !head.empty()) {
      auto result = wanted(*found);
      result.label = "default " + result.label;
      return result;
    }
    return Error{ErrorKind::invalid_input,
                 "the remote names no default branch that exists; choose a ref: it has " +
                     what_exists(refs)};
  }
  if (starts_with(ref, "refs/")) {
    if (const auto* found = find(refs, ref)) return wanted(*found);
  } else {
    if (const auto* found = find(refs, std::string(kHeads) + name)) return wanted(*found);
    if (const auto* found = find(refs, std::string(kTags) + name)) return wanted(*found);
  }
  // A remote does not tell which of its commits begin so.
  const bool shortened = name.size() >= 4 && name.size() < 40 &&
                         name.find_first_not_of("0123456789abcdef") == name.npos;
  return Error{ErrorKind::invalid_input,
               "the remote has no branch or tag \"" + one_line(name, 100) + "\"; it has " +
                   what_exists(refs) +
                   (shortened ? "; if a commit is meant, give all 40 digits of its id" : "")};
}

}  // namespace skep::gitsync
