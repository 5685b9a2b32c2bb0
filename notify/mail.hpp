#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "notify/target.hpp"

namespace skep::notify {

/// One mail, and the server that takes it.
struct MailCall {
  std::string url;  ///< smtp:// or smtps://
  std::string from;
  std::vector<std::string> to;
  std::string user;  ///< "" for none.
  Secret password;
  bool encrypted = true;  ///< smtp:// must offer STARTTLS, else nothing is sent.
  std::string ca_file;    ///< Instead of the system's; "" for those.
  std::string content;    ///< Header and body; lines end in CRLF.
};

/// One of the addresses, to which the server does not deliver.
struct RefusedAddress {
  std::string address;
  std::string said;  ///< "550 5.1.1 no such user", on one line.
  bool operator==(const RefusedAddress&) const = default;
};

struct MailAnswer {
  int status = 0;    ///< The server's last reply: 250; 0 where there was none.
  std::string said;  ///< By a server that refuses, on one line: "5.1.1 no such user".
  std::vector<RefusedAddress> refused = {};  ///< Where it took the mail for the others.
};

/// Errors: unavailable (no connection, no TLS, no answer in time); the message holds no address.
using SendMail = std::function<Result<MailAnswer>(const MailCall&)>;

/// The mail of a delivery to a target of type email: plain text in UTF-8. Its Message-ID is the
/// delivery's, the same at each attempt; what is told of one stack is one thread. Nothing of a
/// message can add a header or end the mail. Errors: invalid_input (a template that fails).
[[nodiscard]] Result<MailCall> mail_for(const Target& target, const Delivery& delivery);

/// A header's text by RFC 2047, folded: as it is where it is short and printable ASCII.
[[nodiscard]] std::string header_text(std::string_view name, std::string_view text);
/// "Fri, 15 Jan 2027 08:00:00 +0000".
[[nodiscard]] std::string mail_date(WallTime time);
/// Whether it can stand in an envelope: one address without a name, in ASCII.
[[nodiscard]] bool is_mail_address(std::string_view text);

}  // namespace skep::notify
