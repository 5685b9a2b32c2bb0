#include "gitsync/private_key.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "core/digest.hpp"
#include "gitsync/ssh_wire.hpp"

namespace skep::gitsync {
namespace {

constexpr std::size_t kLargest = 64U * 1024U;

std::optional<PrivateKeyInfo> describe_openssh(std::string_view body) {
  std::string packed;
  for (const char c : body)
    if (c != '\n' && c != '\r' && c != ' ') packed += c;
  const auto decoded = from_base64(packed);
  constexpr std::string_view kMagic("openssh-key-v1\0", 15);
  if (!decoded || decoded->compare(0, kMagic.size(), kMagic) != 0) return std::nullopt;
  std::string_view rest = std::string_view(*decoded).substr(kMagic.size());
  const auto cipher = take_string(rest);
  const auto kdf = take_string(rest);
  const auto kdf_options = take_string(rest);
  if (!cipher || !kdf || !kdf_options || rest.size() < 4) return std::nullopt;
  rest.remove_prefix(4);  // the number of keys
  auto public_key = take_string(rest);
  if (!public_key) return std::nullopt;
  const auto type = take_string(*public_key);
  if (!type) return std::nullopt;
  return PrivateKeyInfo{.type = std::string(*type), .encrypted = *cipher != "none"};
}

}  // namespace

std::optional<PrivateKeyInfo> describe_private_key(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  const auto begin = text.find(kBegin);
  if (begin == text.npos) return std::nullopt;
  text.remove_prefix(begin + kBegin.size());
  const auto label_end = text.find("-----");
  if (label_end == text.npos) return std::nullopt;
  const auto label = text.substr(0, label_end);
  text.remove_prefix(label_end + 5);
  const auto body = text.substr(0, text.find("-----END"));
  if (label == "OPENSSH PRIVATE KEY") return describe_openssh(body);
  const bool encrypted = body.find("ENCRYPTED") != body.npos;
  if (label == "RSA PRIVATE KEY") return PrivateKeyInfo{.type = "ssh-rsa", .encrypted = encrypted};
  if (label == "EC PRIVATE KEY")
    return PrivateKeyInfo{.type = "ecdsa-sha2", .encrypted = encrypted};
  if (label == "DSA PRIVATE KEY") return PrivateKeyInfo{.type = "ssh-dss", .encrypted = encrypted};
  if (label == "PRIVATE KEY") return PrivateKeyInfo{};
  if (label == "ENCRYPTED PRIVATE KEY") return PrivateKeyInfo{.type = "", .encrypted = true};
  return std::nullopt;
}

Result<PrivateKeyInfo> read_private_key(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  if (in) {
    text.resize(kLargest);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (!in && text.empty())
    return Error{ErrorKind::unauthorized,
                 "the ssh key " + file + " cannot be read: " +
                     std::generic_category().message(errno != 0 ? errno : EIO)};
  auto info = describe_private_key(text);
  if (!info)
    return Error{ErrorKind::unauthorized,
                 "the ssh key " + file + " is no private key; " + std::string(use_ed25519())};
  return *std::move(info);
}

std::string_view use_ed25519() {
  return "use an Ed25519 key: ssh-keygen -t ed25519 -N '' -f skep_deploy_key, and give its .pub "
         "file "
         "to the git host as a deploy key";
}

}  // namespace skep::gitsync
