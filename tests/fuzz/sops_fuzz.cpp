#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sops/age.hpp"
#include "sops/creation_rules.hpp"
#include "sops/file.hpp"

// The bytes are a file in each of the formats: what can be encrypted comes back with the same
// values, an encrypted file is read or refused, and nothing else happens.

namespace {

using namespace skep::sops;

void require(bool condition) {
  if (!condition) std::abort();
}

/// Of no use but here: the seeds are encrypted to it.
const Identities& keys() {
  static const Identities all = {*Identity::parse(
      "AGE-SECRET-KEY-10AFX32SP5LZ5EV28FHZUR424SEFVGTRSQHJVA4D2DSMV4NC890XQ6ZYXF9")};
  return all;
}

void same_values(const Document& before, const std::string& plain, Format format) {
  const auto after = read_document(plain, "f", format);
  require(after.has_value());
  require(after->leaves.size() == before.leaves.size());
  for (std::size_t i = 0; i < before.leaves.size(); ++i) {
    require(after->leaves[i].path == before.leaves[i].path);
    require(after->leaves[i].value.text == before.leaves[i].value.text);
  }
}

void round_trip(std::string_view text, Format format) {
  const auto before = read_document(text, "f", format);
  if (!before) return require(!before.error().message.empty());
  for (const auto& leaf : before->leaves) {
    require(leaf.begin <= leaf.end && leaf.end <= before->text.size());
  }
  if (before->metadata) {
    const auto plain = decrypt(text, "f", format, keys());
    const auto shown = masked(text, "f", format);
    require(plain || !plain.error().message.empty());
    require(shown || !shown.error().message.empty());
    return;
  }
  const Encryption how{{keys().front().recipient()}, {}, "2026-01-02T03:04:05Z"};
  const auto sealed = encrypt(text, "f", format, how);
  if (!sealed) return require(!sealed.error().message.empty());
  const auto plain = decrypt(*sealed, "f", format, keys());
  require(plain.has_value());
  same_values(*before, plain->text, format);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto format : {Format::yaml, Format::json, Format::dotenv}) round_trip(text, format);
  (void)encrypted_format("f.sops", text);
  (void)age_decrypt(text, keys());
  (void)parse_identities(text, "f");
  (void)creation_rule(text, "f", "apps/f");
  return 0;
}
