#pragma once

namespace skep::gitsync {

/// Keeps libgit2 usable while it lives, set up so that nothing outside our own call decides what it
/// does: no system, global or user configuration is read, objects are checked against their ids,
/// memory maps are small. libgit2 counts its users, so every part that needs it holds one of these;
/// `main` holds one more for as long as the process runs. Safe from several threads.
class Library {
 public:
  /// Throws std::logic_error where libgit2 cannot start.
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace skep::gitsync
