#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/webhook_payload.hpp"
#include "server/webhook_repository.hpp"

// The first byte chooses who calls and what about; the rest is the body. What is read has the shape
// that the routes rely on.

namespace {

using namespace skep::server;

void require(bool condition) {
  if (!condition) std::abort();
}

void body(WebhookProvider provider, std::string_view event, std::string_view json) {
  const auto payload = parse_webhook(provider, event, json);
  if (!payload) return require(!payload.error().message.empty());
  if (const auto* nothing = std::get_if<WebhookNothing>(&*payload))
    return require(!nothing->reason.empty());
  if (const auto* images = std::get_if<WebhookImages>(&*payload)) {
    require(provider == WebhookProvider::registry);
    require(!images->images.empty() && images->images.size() <= 100);
    for (const auto& image : images->images)
      require(!image.repository.empty() && !image.tag.empty());
    return;
  }
  const auto& push = std::get<WebhookPush>(*payload);
  const bool generic = provider == WebhookProvider::generic;
  require(push.ref.starts_with("refs/") || (generic && push.ref.empty()));
  require(generic || !push.repositories.empty());
  for (const auto& address : push.repositories) {
    require(!address.empty());
    const auto identity = repository_identity(address);
    // Written as an address of its own, it stays what it is.
    if (!identity.empty() && !identity.starts_with('/') &&
        identity.find_first_of("%?#@:[") == std::string::npos)
      require(names_repository({"https://" + identity}, {"https://" + identity + ".git"}));
  }
  (void)moves_ref(push.ref, "main");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto provider =
      (data[0] & 0x08U) != 0 ? WebhookProvider::registry : kWebhookProviders.at(data[0] % 5U);
  const bool gitlab = provider == WebhookProvider::gitlab;
  const std::string_view event =
      (data[0] & 0x40U) != 0 ? (gitlab ? "System Hook" : "ping") : (gitlab ? "Push Hook" : "push");
  body(provider, event, text);
  if (const auto form = payload_of_form(text)) body(provider, event, *form);
  (void)repository_identity(text);
  return 0;
}
