#pragma once

#include <filesystem>
#include <string>

#include "gitsync/allowed_signers.hpp"

namespace skep::gitsync {

/// Who of `allowed` signed the commit of the mirror. Needs a Library. Errors: unauthorized where
/// nobody did, and what to do; unavailable where the commit cannot be read. `refusal`, where it is
/// not null, is then one of the words unsigned, unknown_key, expired, bad_signature.
[[nodiscard]] Result<std::string> signer_of(const std::filesystem::path& mirror,
                                            const std::string& commit,
                                            const AllowedSigners& allowed,
                                            std::string* refusal = nullptr);

}  // namespace skep::gitsync
