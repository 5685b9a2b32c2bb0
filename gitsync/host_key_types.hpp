#pragma once

#include <string>
#include <vector>

#include "gitsync/credentials.hpp"
#include "gitsync/remote_url.hpp"

namespace skep::gitsync {

/// libssh2 asks a server for a key of the type of the first line that it finds in known_hosts for
/// it, and for any where it finds none. So each connection is for one type, and these are the
/// contents of that file to try one after the other, the best type first. The last of them asks for
/// any type: then a person is shown the key that the server has.
[[nodiscard]] std::vector<std::string> known_hosts_to_try(const Credentials& credentials,
                                                          const RemoteUrl& url);

}  // namespace skep::gitsync
