#include "notify/git_host.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/ascii.hpp"

namespace skep::notify {
namespace {

using namespace std::chrono_literals;
using What = HostVerdict::What;

constexpr std::array<std::pair<std::string_view, GitHostType>, 4> kTypes = {
    {{"github", GitHostType::github},
     {"gitlab", GitHostType::gitlab},
     {"gitea", GitHostType::gitea},
     {"forgejo", GitHostType::forgejo}}};

constexpr auto kAtLeast = 60s;       ///< GitHub asks for a minute where it names no time.
constexpr auto kLongestWait = 2h;    ///< A host's own windows are an hour long.
constexpr auto kForAPerson = 10min;  ///< Until somebody has mended a token.

Error invalid(std::string message) {
  return Error{ErrorKind::invalid_input, std::move(message), std::nullopt};
}

/// "https://host:8443" and "group/name".
struct Place {
  std::string origin, host, path;
};

Result<Place> place_of(std::string_view address) {
  Place place;
  std::string scheme = "https";
  std::string_view rest = address;
  const auto colon = address.find("://");
  bool ssh = false;
  if (colon != std::string_view::npos) {
    scheme = lower(address.substr(0, colon));
    rest = address.substr(colon + 3);
    ssh = scheme == "ssh" || scheme == "git+ssh";
    if (!ssh && scheme != "https" && scheme != "http")
      return invalid("commit statuses need a repository at a git host (https:// or ssh://)");
    if (ssh) scheme = "https";
  }
  const auto end = std::min(rest.find(colon == std::string_view::npos ? ':' : '/'), rest.size());
  auto authority = rest.substr(0, end);
  if (end == rest.size() || authority.find('/') != std::string_view::npos)
    return invalid("commit statuses need a repository at a git host (https:// or ssh://)");
  place.path = std::string(rest.substr(end + 1));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  if (const auto port = authority.rfind(':');
      ssh && port != std::string_view::npos && !authority.ends_with(']'))
    authority = authority.substr(0, port);
  place.host = lower(
      authority.substr(0, authority.ends_with(']') ? authority.size() : authority.rfind(':')));
  if (place.host.empty()) return invalid("the repository's address names no host");
  place.origin = scheme + "://" + lower(authority);
  place.path = place.path.substr(0, place.path.find_first_of("?#"));
  while (place.path.starts_with('/')) place.path.erase(0, 1);
  while (place.path.ends_with('/')) place.path.pop_back();
  if (place.path.ends_with(".git")) place.path.resize(place.path.size() - 4);
  return place;
}

std::string filled(std::string text, std::string_view mark, const std::string& by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
  return text;
}

std::string_view state_word(GitHostType type, CommitState state) {
  const bool gitlab = type == GitHostType::gitlab;
  switch (state) {
    case CommitState::pending:
      return "pending";
    case CommitState::success:
      return "success";
    case CommitState::failure:
      return gitlab ? "failed" : "failure";
    case CommitState::left:
      break;
  }
  // Grey at GitLab, yellow at Gitea; GitHub has no better word for what is neither good nor bad.
  return gitlab ? "canceled" : type == GitHostType::github ? "error" : "warning";
}

}  // namespace

std::string_view to_string(GitHostType type) {
  for (const auto& [word, known] : kTypes) {
    if (known == type) return word;
  }
  return "";
}

std::optional<GitHostType> git_host_type(std::string_view word) {
  for (const auto& [known, type] : kTypes) {
    if (known == word) return type;
  }
  return std::nullopt;
}

Result<void> locate(GitHost& host, std::string_view repository) {
  auto place = place_of(repository);
  if (!place) return std::move(place).error();
  auto path = place->path;
  std::string below;  ///< Of the host: Gitea may be served under a path.
  if (host.type != GitHostType::gitlab) {
    const auto name = path.rfind('/');
    const auto owner = name == std::string::npos || name == 0 ? name : path.rfind('/', name - 1);
    if (name != std::string::npos && owner != std::string::npos) {
      below = "/" + path.substr(0, owner);
      path = path.substr(owner + 1);
    }
  }
  const auto slash = path.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == path.size())
    return invalid("the repository's address must end in OWNER/NAME");
  host.project = path;
  if (!host.api.empty()) return {};
  switch (host.type) {
    case GitHostType::github:
      host.api = place->host == "github.com" ? "https://api.github.com" : place->origin + "/api/v3";
      break;
    case GitHostType::gitlab:
      host.api = place->origin + "/api/v4";
      break;
    case GitHostType::gitea:
    case GitHostType::forgejo:
      host.api = place->origin + below + "/api/v1";
      break;
  }
  return {};
}

HttpCall status_call(const GitHost& host, const std::string& commit, const CommitStatus& status) {
  // GitHub refuses more than 140 characters, GitLab more than 255.
  const std::size_t most = host.type == GitHostType::github ? 140 : 255;
  const bool gitlab = host.type == GitHostType::gitlab;
  nlohmann::json body = {{"state", state_word(host.type, status.state)},
                         {"description", at_most(one_line(status.words), most)},
                         {gitlab ? "name" : "context", at_most(one_line(status.context), 255)}};
  if (!host.target_url.empty()) {
    body["target_url"] = filled(
        filled(host.target_url, "{commit}", commit), "{stack}", percent_encoded(status.stack));
  }
  if (gitlab && !host.branch.empty()) body["ref"] = host.branch;
  HttpCall call;
  call.follow = true;  // A repository that was renamed.
  call.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  call.headers = {{"Content-Type", "application/json"}, {"User-Agent", "skep"}};
  const auto token = std::string(host.token.reveal());
  if (gitlab) {
    call.url = host.api + "/projects/" + percent_encoded(host.project) + "/statuses/" + commit;
    call.headers.emplace_back("PRIVATE-TOKEN", token);
    return call;
  }
  const auto slash = host.project.find('/');
  call.url = host.api + "/repos/" + percent_encoded(host.project.substr(0, slash)) + "/" +
             percent_encoded(host.project.substr(slash + 1)) + "/statuses/" + commit;
  if (host.type == GitHostType::github) {
    call.headers.emplace_back("Accept", "application/vnd.github+json");
    call.headers.emplace_back("X-GitHub-Api-Version", "2022-11-28");
    call.headers.emplace_back("Authorization", "Bearer " + token);
  } else {
    call.headers.emplace_back("Accept", "application/json");
    call.headers.emplace_back("Authorization", "token " + token);
  }
  return call;
}

HostVerdict judge(const GitHost& host, const HttpAnswer& answer, WallTime now) {
  const int status = answer.status;
  const auto why = "it answers " + std::to_string(status);
  if (status >= 200 && status < 300) return {What::accepted, {}, ""};
  // GitLab's statuses are a machine that takes no step to where it stands: it stands there.
  if (host.type == GitHostType::gitlab && status == 400 &&
      answer.body.find("Cannot transition status") != std::string::npos)
    return {What::accepted, {}, ""};
  const bool counted = answer.calls_left && *answer.calls_left == 0;
  if (status == 429 || ((status == 403 || status == 503) && (counted || answer.retry_after > 0s))) {
    auto wait = std::max<std::chrono::milliseconds>(answer.retry_after, 0s);
    if (counted && answer.calls_again) wait = std::max(wait, *answer.calls_again - now);
    wait = std::clamp<std::chrono::milliseconds>(
        wait, answer.retry_after > 0s ? 1s : kAtLeast, kLongestWait);
    return {What::limited, now + wait, why + ": too many calls"};
  }
  if (status == 401 || status == 403) {
    return {What::later,
            now + kForAPerson,
            why + ": the token is not taken, or may not write statuses of this repository"};
  }
  if (status == 404)
    return {What::refused,
            {},
            why + ": no such repository or commit there, or the token may not see it"};
  if (status >= 300 && status < 400)
    return {What::refused, {}, why + ": it redirects; give the repository's new address"};
  if (status == 400 || status == 413 || status == 422) return {What::refused, {}, why};
  return {What::later, {}, why};
}

}  // namespace skep::notify
