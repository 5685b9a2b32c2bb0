#include "gitsync/fetch_protocol.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"

namespace skep::gitsync {
namespace {

using nlohmann::json;

constexpr std::array kKinds{ErrorKind::invalid_input,
                            ErrorKind::unauthorized,
                            ErrorKind::unavailable,
                            ErrorKind::conflict,
                            ErrorKind::cancelled};

/// A secret may hold any bytes, JSON only text.
std::string packed(const Secret& secret) { return base64(secret.reveal()); }

Secret unpacked(const json& value) {
  auto bytes = from_base64(value.get<std::string>());
  return bytes && !bytes->empty() ? Secret(*std::move(bytes)) : Secret();
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const FetchRequest& request) {
  const auto& credentials = request.credentials;
  const auto& limits = request.limits;
  return dump({{"url", request.url.text()},
               {"ref", request.ref},
               {"directory", base64(request.directory.string())},
               {"slot", request.slot},
               {"user", credentials.user},
               {"password", packed(credentials.password)},
               {"ssh_key_file", credentials.ssh_key_file},
               {"ssh_key_passphrase", packed(credentials.ssh_key_passphrase)},
               {"known_hosts", credentials.known_hosts},
               {"host_key_fingerprints", credentials.host_key_fingerprints},
               {"ca_file", credentials.ca_file},
               {"pack_bytes", limits.pack_bytes},
               {"objects", limits.objects},
               {"object_bytes", limits.object_bytes},
               {"tree_entries", limits.tree_entries},
               {"refs", limits.refs},
               {"memory_bytes", limits.memory_bytes},
               {"previous_commit", request.previous_commit},
               {"previous_id", request.previous_id},
               {"allow_rewind", request.allow_rewind},
               {"allowed_commit", request.allowed_commit},
               {"compact", request.compact}});
}

Result<FetchRequest> parse_request(std::string_view text) {
  const Error broken{ErrorKind::invalid_input, "the fetch request cannot be read"};
  try {
    const auto value = json::parse(text);
    // The parent's policy has decided about plain http already.
    auto url = RemoteUrl::parse(value.at("url").get<std::string>(), {.allow_plain_http = true});
    if (!url) return std::move(url).error();
    auto directory = from_base64(value.at("directory").get<std::string>());
    if (!directory) return broken;
    FetchRequest request{.url = std::move(url->url),
                         .ref = value.at("ref"),
                         .directory = *directory,
                         .slot = value.at("slot"),
                         .credentials = {},
                         .limits = {},
                         .previous_commit = value.at("previous_commit"),
                         .previous_id = value.at("previous_id"),
                         .allow_rewind = value.at("allow_rewind"),
                         .allowed_commit = value.at("allowed_commit"),
                         .compact = value.at("compact")};
    auto& credentials = request.credentials;
    credentials.user = value.at("user");
    credentials.password = unpacked(value.at("password"));
    credentials.ssh_key_file = value.at("ssh_key_file");
    credentials.ssh_key_passphrase = unpacked(value.at("ssh_key_passphrase"));
    credentials.known_hosts = value.at("known_hosts");
    credentials.host_key_fingerprints =
        value.at("host_key_fingerprints").get<std::vector<std::string>>();
    credentials.ca_file = value.at("ca_file");
    auto& limits = request.limits;
    limits.pack_bytes = value.at("pack_bytes");
    limits.objects = value.at("objects");
    limits.object_bytes = value.at("object_bytes");
    limits.tree_entries = value.at("tree_entries");
    limits.refs = value.at("refs");
    limits.memory_bytes = value.at("memory_bytes");
    return request;
  } catch (const json::exception&) {  // its text may quote a credential
    return broken;
  }
}

std::string to_json(const Result<FetchAnswer>& answer) {
  if (!answer)
    return dump({{"error",
                  {{"kind", std::string(to_string(answer.error().kind))},
                   {"message", answer.error().message}}}});
  return dump({{"commit", answer->commit},
               {"remote_id", answer->remote_id},
               {"downloaded", answer->downloaded},
               {"fast_forward", answer->fast_forward},
               {"received_bytes", answer->received_bytes},
               {"refusal", answer->refusal}});
}

Result<FetchAnswer> parse_answer(std::string_view text) {
  try {
    const auto value = json::parse(text);
    if (const auto error = value.find("error"); error != value.end()) {
      const auto kind = error->at("kind").get<std::string>();
      for (const auto known : kKinds)
        if (to_string(known) == kind) return Error{known, error->at("message").get<std::string>()};
      return Error{ErrorKind::unavailable, error->at("message").get<std::string>()};
    }
    FetchAnswer answer;
    answer.commit = value.at("commit");
    answer.remote_id = value.at("remote_id");
    answer.downloaded = value.at("downloaded");
    answer.fast_forward = value.at("fast_forward");
    answer.received_bytes = value.at("received_bytes");
    answer.refusal = value.at("refusal");
    return answer;
  } catch (const json::exception&) {
    return Error{ErrorKind::unavailable, "the fetching process gave no answer"};
  }
}

}  // namespace skep::gitsync
