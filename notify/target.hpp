#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "notify/outbox.hpp"

namespace skep::notify {

/// Of a target of type email.
struct MailSettings {
  std::string from;
  std::vector<std::string> to;
  std::string user;  ///< "" for none.
  Secret password;
  bool encrypted = true;
  std::string ca_file;
};

/// Where messages go. What stands in the settings, with the files read.
struct Target {
  std::string name;  ///< In logs and in the outbox; never the address, which may be a secret.
  std::string type;  ///< A word of target_types().
  Secret url;
  Secret secret;  ///< Of type webhook: signs the body; empty for none.
  Secret token;   ///< Authorization: Bearer; empty for none.
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string>
      values;        ///< For the template, as .target.NAME; of alertmanager: labels.
  std::string body;  ///< A template instead of the type's own; "" for none.
  std::string content_type = "application/json";
  std::set<std::string> only;  ///< Reasons; empty for all.
  MailSettings mail;
};

/// webhook, slack, alertmanager, and those that are templates: all that are reached by HTTP. Beside
/// them there is email (mail.hpp).
[[nodiscard]] std::vector<std::string> target_types();
/// The template of a type; "" where the type is code. Its data is the message's JSON, and .target.
[[nodiscard]] std::string_view template_of(std::string_view type);

/// A template of the settings or of a type, filled in. Errors: invalid_input.
[[nodiscard]] Result<std::string> rendered(const Target& target,
                                           std::string_view text,
                                           const Delivery& delivery);

struct HttpCall {
  std::string method = "POST";
  std::string url;
  /// Follows a redirect that keeps the method, to the same scheme, host and port only: what proves
  /// who we are is never sent anywhere else.
  bool follow = false;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpAnswer {
  int status = 0;
  std::chrono::seconds retry_after{0};  ///< What the other side asks for; 0 for nothing.
  std::string body = {};                ///< Its beginning.
  /// How many more calls it takes for now, and when it takes more again, where it says so.
  std::optional<std::int64_t> calls_left = {};
  std::optional<WallTime> calls_again = {};
};

/// Errors: unavailable (no connection, no answer in time); the message holds no address.
using Send = std::function<Result<HttpAnswer>(const HttpCall&)>;

/// What is sent for a delivery. Every call carries X-Skep-Delivery, which is the same at each
/// attempt. Errors: invalid_input (a template that fails, or does not give JSON where it should).
[[nodiscard]] Result<HttpCall> call_for(const Target& target,
                                        const Delivery& delivery,
                                        WallTime now);

}  // namespace skep::notify
