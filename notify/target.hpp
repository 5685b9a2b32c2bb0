#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "notify/outbox.hpp"

namespace skep::notify {

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
};

/// webhook, slack, alertmanager, and those that are templates.
[[nodiscard]] std::vector<std::string> target_types();
/// The template of a type; "" where the type is code. Its data is the message's JSON, and .target.
[[nodiscard]] std::string_view template_of(std::string_view type);

struct HttpCall {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpAnswer {
  int status = 0;
  std::chrono::seconds retry_after{0};  ///< What the other side asks for; 0 for nothing.
};

/// Errors: unavailable (no connection, no answer in time); the message holds no address.
using Send = std::function<Result<HttpAnswer>(const HttpCall&)>;

/// What is sent for a delivery. Every call carries X-Skep-Delivery, which is the same at each
/// attempt. Errors: invalid_input (a template that fails, or does not give JSON where it should).
[[nodiscard]] Result<HttpCall> call_for(const Target& target,
                                        const Delivery& delivery,
                                        WallTime now);

}  // namespace skep::notify
