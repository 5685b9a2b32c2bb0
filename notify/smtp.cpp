#include "notify/smtp.hpp"

#include <algorithm>
#include <cstring>

#include <curl/curl.h>

#include "core/handle.hpp"
#include "notify/commit_status.hpp"
#include "notify/curl.hpp"

namespace skep::notify {
namespace {

constexpr long kRefused = 400;  ///< Replies from here on say no.

std::size_t give(char* into, std::size_t size, std::size_t count, void* rest) noexcept {
  auto& left = *static_cast<std::string_view*>(rest);
  const auto bytes = std::min(size * count, left.size());
  std::memcpy(into, left.data(), bytes);
  left.remove_prefix(bytes);
  return bytes;
}

/// What was said, as far as somebody reads it. The library tells it all as what it would write to
/// a trace; behind a refusal it still says goodbye.
struct Dialogue {
  std::string number, text;  ///< Of the last reply that said no.
  std::string address;       ///< Whose turn it is; "" after the envelope.
  std::vector<RefusedAddress> refused;
};

constexpr std::size_t kNumber = 3;  ///< "550 text", or "550-text" where more lines follow.
constexpr std::size_t kLongestReply = 500;

void add_words(std::string& text, std::string_view words) {
  if (!words.empty() && text.size() + words.size() < kLongestReply)
    text += (text.empty() ? "" : " ") + std::string(words);
}

void note_reply(Dialogue& dialogue, std::string_view line) {
  const auto number = line.substr(0, kNumber);
  if (number < "400") return;
  if (number != dialogue.number) {
    dialogue.number = number;
    dialogue.text.clear();
  }
  line.remove_prefix(std::min(line.size(), kNumber + 1));
  add_words(dialogue.text, line);
  if (dialogue.address.empty()) return;
  auto& refused = dialogue.refused;
  if (refused.empty() || refused.back().address != dialogue.address)
    refused.push_back({dialogue.address, std::string(number)});
  add_words(refused.back().said, line);
}

void note_command(Dialogue& dialogue, std::string_view line) {
  constexpr std::string_view kRecipient = "RCPT TO:<";
  dialogue.address.clear();
  if (!line.starts_with(kRecipient)) return;
  line.remove_prefix(kRecipient.size());
  dialogue.address = line.substr(0, line.find('>'));
}

int listen(
    CURL* /*handle*/, curl_infotype type, char* data, std::size_t size, void* into) noexcept {
  if (type != CURLINFO_HEADER_IN && type != CURLINFO_HEADER_OUT) return 0;
  auto& dialogue = *static_cast<Dialogue*>(into);
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (type == CURLINFO_HEADER_IN) {
    note_reply(dialogue, line);
  } else {
    note_command(dialogue, line);
  }
  return 0;
}

std::size_t drop(char* /*data*/, std::size_t size, std::size_t count, void* /*into*/) noexcept {
  return size * count;
}

std::vector<RefusedAddress> in_one_line_each(std::vector<RefusedAddress> refused) {
  for (auto& one : refused) one.said = one_line(one.said);
  return refused;
}

Result<MailAnswer> send(const MailCall& mail,
                        const std::stop_token& stop,
                        std::chrono::milliseconds limit) {
  const EasyHandle easy(curl_easy_init());
  if (!easy) return unavailable("out of memory");
  CurlList recipients;
  for (const auto& address : mail.to) {
    auto* longer = curl_slist_append(recipients.get(), ("<" + address + ">").c_str());
    if (longer == nullptr) return unavailable("out of memory");
    (void)recipients.release();  // The longer list begins with it.
    recipients.reset(longer);
  }
  auto* handle = easy.get();
  std::string_view rest(mail.content);
  const auto from = "<" + mail.from + ">";
  curl_easy_setopt(handle, CURLOPT_URL, mail.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle, CURLOPT_USE_SSL, mail.encrypted ? CURLUSESSL_ALL : CURLUSESSL_NONE);
  if (!mail.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, mail.ca_file.c_str());
  const auto password = std::string(mail.password.reveal());
  if (!mail.user.empty()) {
    curl_easy_setopt(handle, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, password.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
  // One address that is no more must not keep the message from the others.
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, &give);
  curl_easy_setopt(handle, CURLOPT_READDATA, &rest);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &drop);
  Dialogue dialogue;
  curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, &listen);
  curl_easy_setopt(handle, CURLOPT_DEBUGDATA, &dialogue);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &drop);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  // Greeting and login count as connecting, and servers take their time over both.
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &look_for_stop);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, const_cast<std::stop_token*>(&stop));
  const auto code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK)
    return MailAnswer{static_cast<int>(status), {}, in_one_line_each(std::move(dialogue.refused))};
  // A reply that says no is an answer; the library's own text for the rest names no host.
  if (code == CURLE_LOGIN_DENIED)
    return unavailable("the user or the password is not taken: " + one_line(dialogue.text));
  if (code == CURLE_USE_SSL_FAILED) return unavailable("the server offers no STARTTLS");
  if (status >= kRefused) return MailAnswer{static_cast<int>(status), one_line(dialogue.text)};
  return unavailable(curl_easy_strerror(code));
}

}  // namespace

SendMail smtp_sender(std::stop_token stop, std::chrono::milliseconds limit) {
  return [stop = std::move(stop), limit](const MailCall& mail) { return send(mail, stop, limit); };
}

}  // namespace skep::notify
