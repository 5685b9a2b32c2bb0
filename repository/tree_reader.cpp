#include "repository/tree_reader.hpp"

#include "compose/compose.hpp"

namespace skep::repository {
namespace {

/// Git's id of a file knows nothing of its executable bit.
template <typename Entry>
std::optional<std::string> id_of(const std::optional<Entry>& entry) {
  if (!entry) return std::nullopt;
  return entry->executable ? entry->id + "+x" : entry->id;
}

/// A file that only stands for another one, in the words of whoever would deploy it; else "".
std::string_view stand_in(std::string_view text) {
  using namespace std::string_view_literals;
  constexpr std::size_t kLargestPointer = 1024;  // As git-lfs defines one.
  if (text.size() < kLargestPointer &&
      text.starts_with("version https://git-lfs.github.com/spec/")) {
    return "is a Git LFS pointer, not the file itself, which skep does not fetch: keep the file in "
           "git itself (git lfs untrack), or put it into the image";
  }
  if (text.starts_with("\0GITCRYPT\0"sv)) {
    return "is encrypted with git-crypt, for which skep has no key: encrypt it with skep secret "
           "encrypt instead";
  }
  return {};
}

/// What failed once stays so: its error is already among the findings.
template <typename Entry>
void remember(Reads& reads, const RepoPath& path, const Result<std::optional<Entry>>& found) {
  auto& id = reads[path.text()];
  if (id != kUnread) id = found ? id_of(*found) : std::string(kUnread);
}

}  // namespace

Result<std::optional<ports::TreeEntry>> TreeReader::find(const RepoPath& path) const {
  auto entry = snapshot_.find(path);
  remember(reads_, path, entry);
  return entry;
}

Result<std::optional<ports::TreeFile>> TreeReader::file(const RepoPath& path) const {
  auto file = snapshot_.read(path);
  remember(reads_, path, file);
  if (!file || !*file) return file;
  if ((*file)->ignored) {
    findings_.push_back({Finding::Severity::warning,
                         "git ignores this file: it counts in this work tree only, and whoever "
                         "follows the repository does not have it; let git track it (`git add "
                         "-f`), encrypted where it is secret (`skep secret encrypt`)",
                         {path.text()}});
  }
  if (const auto what = stand_in((*file)->text); !what.empty())
    return Error{ErrorKind::invalid_input, path.text() + " " + std::string(what)};
  auto plain = plain_file(path.text(), std::move((*file)->text), decryption_);
  if (!plain) return std::move(plain).error();
  (*file)->text = std::move(plain->text);
  if (decryption_ != nullptr) texts_[path.text()] = (*file)->text;  // Nobody else has secrets.
  secrets_.insert(secrets_.end(), plain->secrets.begin(), plain->secrets.end());
  findings_.insert(findings_.end(), plain->remarks.begin(), plain->remarks.end());
  if (plain->masked) {
    masked_ = true;
    findings_.push_back(
        {Finding::Severity::warning,
         "the file is encrypted and there is no age key: *** stands for its values, "
         "and whether it is whole was not checked (--age-key-file)",
         {path.text()}});
  }
  return file;
}

bool TreeReader::reveals(const std::string& text) const {
  return !secrets_.empty() && decryption_->redaction->reveals(text);
}

void TreeReader::keep_secret(const std::string& text) const {
  decryption_->redaction->add(text);
  secrets_.push_back(text);
}

Result<std::vector<ports::TreeEntry>> TreeReader::list(const RepoPath& directory) const {
  auto entries = snapshot_.list(directory);
  if (!entries) reads_[directory.text()] = std::string(kUnread);
  return entries;
}

Result<RepoPath> TreeReader::locate(const std::string& path) const {
  if (path.starts_with(kWorkingDirectoryMarker)) {
    const auto rest = std::string_view(path).substr(kWorkingDirectoryMarker.size());
    auto near = stack_directory_.join("./" + std::string(rest));
    if (near) {
      const auto entry = find(*near);
      if (entry && *entry) return near;
    }
    return root_.join("./" + std::string(rest));
  }
  if (!path.starts_with(compose::kRepositoryRoot)) {
    return Error{
        ErrorKind::invalid_input,
        "\"" + path +
            "\" is outside of the repository: use a path relative to the stack's directory"};
  }
  return root_.join("./" + path.substr(compose::kRepositoryRoot.size()));
}

Result<std::optional<std::string>> TreeReader::read(const std::string& path) const {
  auto where = locate(path);
  if (!where) return std::move(where).error();
  auto file = this->file(*where);
  if (!file) {
    // Whoever asked gives the place that named the file; the place within the file must stay.
    auto error = std::move(file).error();
    if (error.at) error.message = to_string(error);
    error.at.reset();
    return error;
  }
  if (!*file) return std::optional<std::string>();
  return std::optional(std::move((*file)->text));
}

bool still_true(const Reads& reads, const ports::Snapshot& snapshot) {
  for (const auto& [text, id] : reads) {
    if (id == kUnread) return false;
    const auto path = RepoPath::parse(text);
    if (!path) return false;
    const auto entry = snapshot.find(*path);
    if (!entry) return false;
    if (id_of(*entry) != id) return false;
  }
  return true;
}

}  // namespace skep::repository
