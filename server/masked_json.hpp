#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace skep::server {

using Mask = std::function<std::string(std::string_view)>;

/// Puts what is free text through `mask`, and leaves an answer readable whatever the secrets are: a
/// password "warning" must not take the severities away. `text` is JSON as the API writes it, or
/// server-sent events with such data.
///
/// What stays is what the program says by itself: keys, numbers, true, false and null; and, in the
/// fields that openapi.json describes so, a word that it lists there and a time. All other strings
/// are free text, also the same word in another field, and a field that is described nowhere.
/// `mask_image` is for images, whose tag may be all of a short secret; without it `mask` is.
[[nodiscard]] std::string masked_json(std::string_view text,
                                      const Mask& mask,
                                      const Mask& mask_image = {});

}  // namespace skep::server
