#include "gitsync/library.hpp"

#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>

#include <git2.h>

namespace skep::gitsync {
namespace {

constexpr std::size_t kMiB = 1024U * 1024U;

/// libgit2 counts its users itself, but the options must be set by the first before a second may go
/// on.
std::mutex& starting() {
  static std::mutex mutex;
  return mutex;
}

void check(int code, const char* what) {
  if (code < 0) throw std::logic_error(std::string("libgit2: ") + what);
}

void configure() {
  // A configuration could redirect URLs (insteadOf), name credential helpers or attribute files.
  for (const int level : {GIT_CONFIG_LEVEL_PROGRAMDATA,
                          GIT_CONFIG_LEVEL_SYSTEM,
                          GIT_CONFIG_LEVEL_XDG,
                          GIT_CONFIG_LEVEL_GLOBAL})
    check(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, ""), "configuration search path");
  check(git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, ""), "template path");
  check(git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1), "hash verification");
  // Guards git against running what a foreign repository's configuration names. libgit2 runs
  // nothing, and a repository on a mounted volume often belongs to another user id.
  check(git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0), "owner validation");
  // The defaults (1 GiB windows, 8 GiB in all) do not fit below the fetching child's memory limit.
  check(git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, 16 * kMiB), "window size");
  check(git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, 64 * kMiB), "window limit");
  check(git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, std::size_t{64}), "file limit");
}

}  // namespace

Library::Library() {
  const std::lock_guard lock(starting());
  const int users = git_libgit2_init();
  check(users, "does not start");
  if (users == 1) configure();
}

Library::~Library() {
  const std::lock_guard lock(starting());
  git_libgit2_shutdown();
}

}  // namespace skep::gitsync
