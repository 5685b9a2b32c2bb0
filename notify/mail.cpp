#include "notify/mail.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "notify/commit_status.hpp"

namespace skep::notify {
namespace {

constexpr std::size_t kBase64Line = 76;
/// Bytes in one encoded word: four characters for three of them, "=?UTF-8?B?" and "?=" around them,
/// and a name before the first; a line has 76.
constexpr std::size_t kWordBytes = 39;
constexpr std::size_t kLongestPlain = 70;
constexpr std::size_t kLongestSubject = 200;
constexpr std::size_t kLongestText = 200'000;
constexpr std::size_t kIdDigits = 32;

std::string lines_of_base64(std::string_view text) {
  const auto encoded = base64(text);
  std::string lines;
  for (std::size_t at = 0; at < encoded.size(); at += kBase64Line)
    lines += encoded.substr(at, kBase64Line) + "\r\n";
  return lines;
}

/// What is read as lines has one kind of line end.
std::string with_line_ends(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\n') result += '\r';
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    result += control ? ' ' : c;
  }
  return result;
}

std::string id_of(std::string_view what) { return "<" + std::string(what) + "@skep.invalid>"; }

}  // namespace

bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 254 ||
      text.find('@', at + 1) != std::string_view::npos)
    return false;
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+-/=?^_`{|}~@"
             "[]:") == std::string_view::npos;
}

std::string mail_date(WallTime time) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "Thu, 01 Jan 1970 00:00:00 +0000";
  const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::string(kDays.at(static_cast<std::size_t>(parts.tm_wday))) + ", " +
         two(parts.tm_mday) + " " + kMonths.at(static_cast<std::size_t>(parts.tm_mon)) + " " +
         std::to_string(parts.tm_year + 1900) + " " + two(parts.tm_hour) + ":" + two(parts.tm_min) +
         ":" + two(parts.tm_sec) + " +0000";
}

std::string header_text(std::string_view name, std::string_view text) {
  const auto line = at_most(one_line(text), kLongestSubject);
  bool plain = name.size() + line.size() < kLongestPlain && line.find("=?") == std::string::npos;
  for (const char c : line) plain = plain && static_cast<unsigned char>(c) < 0x7F;
  std::string header(name);
  header += ":";
  if (plain) return header + " " + line + "\r\n";
  for (std::size_t at = 0; at < line.size();) {
    auto end = std::min(at + kWordBytes, line.size());
    // A word holds whole characters: each is decoded for itself.
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
    header += (at == 0 ? " " : "\r\n ") + ("=?UTF-8?B?" + base64(line.substr(at, end - at))) + "?=";
    at = end;
  }
  return header + "\r\n";
}

Result<MailCall> mail_for(const Target& target, const Delivery& delivery) {
  const auto message = nlohmann::json::parse(delivery.body);
  const std::string instance = message.at("instance");
  std::string text = message.at("text");
  if (!target.body.empty()) {
    auto own = rendered(target, target.body, delivery);
    if (!own) return std::move(own).error().within("notification target " + target.name);
    text = *std::move(own);
  }
  if (text.size() > kLongestText) text = at_most(text, kLongestText) + "\n";
  const auto& stacks = message.at("stacks");
  MailCall mail;
  mail.url = std::string(target.url.reveal());
  mail.from = target.mail.from;
  mail.to = target.mail.to;
  mail.user = target.mail.user;
  mail.password = target.mail.password;
  mail.encrypted = target.mail.encrypted;
  mail.ca_file = target.mail.ca_file;
  std::string to;
  for (const auto& address : mail.to) to += (to.empty() ? "" : ",\r\n ") + address;
  mail.content = "Date: " + mail_date(delivery.created) + "\r\nFrom: " + mail.from +
                 "\r\nTo: " + to + "\r\n" +
                 header_text("Subject", "[skep] " + message.at("title").get<std::string>()) +
                 "Message-ID: " + id_of(delivery.id) + "\r\n";
  if (stacks.size() == 1) {
    const auto thread = sha256_hex(instance + " " + stacks.at(0).at("stack").get<std::string>());
    mail.content += "References: " + id_of(thread.substr(0, kIdDigits)) + "\r\n";
  }
  mail.content += "Auto-Submitted: auto-generated\r\nX-Skep-Delivery: " + delivery.id +
                  "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n" +
                  lines_of_base64(with_line_ends(text));
  return mail;
}

}  // namespace skep::notify
