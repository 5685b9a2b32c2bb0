#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "notify/commit_status.hpp"
#include "notify/git_host.hpp"
#include "notify/mail.hpp"

// Addresses from settings, and sentences of tasks and commits on their way into statuses and mails.

namespace {

using namespace skep::notify;

void require(bool condition) {
  if (!condition) std::abort();
}

void status_at(GitHostType type, std::string_view address, const std::string& words) {
  GitHost host;
  host.type = type;
  host.token = skep::Secret("canary");
  if (!locate(host, address)) return;
  require(host.api.starts_with("http") && host.project.find('/') != std::string::npos);
  const CommitStatus status{"skep/" + words, CommitState::left, words, words};
  const auto call = status_call(host, std::string(40, 'a'), status);
  // What follows the API's address is ours: nothing of a repository's path changes its structure.
  const auto path = call.url.substr(host.api.size());
  require(path.find_first_of("?#\r\n ") == std::string::npos);
  require(path.ends_with("/statuses/" + std::string(40, 'a')));
  const auto body = nlohmann::json::parse(call.body);
  const auto description = body.at("description").get<std::string>();
  require(description.find('\n') == std::string::npos && description.size() <= 4 * 256);
}

void sentence(std::string_view text) {
  const auto line = one_line(text);
  require(line.find_first_of("\r\n") == std::string::npos);
  const auto cut = at_most(text, 20);
  require(nlohmann::json::accept(nlohmann::json(cut).dump()));  // Throws where it is no UTF-8.
  const auto header = header_text("Subject", text);
  require(header.ends_with("\r\n"));
  for (std::size_t at = 0; (at = header.find('\n', at)) != std::string::npos; ++at) {
    require(header[at - 1] == '\r');
    require(at + 1 == header.size() || header[at + 1] == ' ');
  }
  if (is_mail_address(text)) require(text.find_first_of("<> \r\n,") == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto middle = text.find('\n');
  const auto address = text.substr(0, middle);
  const auto words = middle == std::string::npos ? std::string() : text.substr(middle + 1);
  for (const auto type : {GitHostType::github, GitHostType::gitlab, GitHostType::gitea})
    status_at(type, address, words);
  sentence(text);
  return 0;
}
