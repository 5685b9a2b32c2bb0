#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "core/error.hpp"
#include "core/handle.hpp"

/// What the sources of this folder that use libcurl have in common.
namespace skep::notify {

using EasyHandle = Handle<CURL, curl_easy_cleanup>;
using CurlList = Handle<curl_slist, curl_slist_free_all>;

/// For CURLOPT_XFERINFOFUNCTION, with a std::stop_token as its data: ends the transfer.
inline int look_for_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

[[nodiscard]] inline Error unavailable(std::string_view why) {
  return Error{ErrorKind::unavailable, std::string(why), std::nullopt};
}

}  // namespace skep::notify
