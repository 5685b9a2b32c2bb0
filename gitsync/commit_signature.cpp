#include "gitsync/commit_signature.hpp"

#include "gitsync/git2.hpp"
#include "gitsync/ssh_signature.hpp"

namespace skep::gitsync {
namespace {

/// What libgit2 fills; freed with it.
struct Buffer {
  git_buf raw = GIT_BUF_INIT;
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { git_buf_dispose(&raw); }
  [[nodiscard]] std::string_view text() const { return {raw.ptr, raw.size}; }
};

}  // namespace

Result<std::string> signer_of(const std::filesystem::path& mirror,
                              const std::string& commit,
                              const AllowedSigners& allowed,
                              std::string* refusal) {
  const auto refused = [&](const char* word, const std::string& why) {
    if (refusal != nullptr) *refusal = word;
    return Error{ErrorKind::unauthorized,
                 "the commit " + commit.substr(0, 12) + " is not carried out: " + why};
  };
  auto id = parse_oid(commit);
  if (!id) return std::move(id).error();
  auto repository =
      acquire<RepositoryHandle>("open the repository", git_repository_open, mirror.c_str());
  if (!repository) return std::move(repository).error();
  auto object =
      acquire<CommitHandle>("read the commit", git_commit_lookup, repository->get(), &*id);
  if (!object) return std::move(object).error();
  Buffer signature, signed_text;
  const int code = git_commit_extract_signature(
      &signature.raw, &signed_text.raw, repository->get(), &*id, nullptr);
  if (code == GIT_ENOTFOUND) {
    return refused(
        "unsigned",
        "it is not signed; sign it (git commit -S, with gpg.format=ssh), or start skep without "
        "--allowed-signers-file");
  }
  if (code < 0) return git_error_of(code, "read the commit's signature");
  if (signature.text().find("BEGIN PGP") != std::string_view::npos)
    return refused("unknown_key",
                   "it is signed with OpenPGP; only SSH signatures are supported (gpg.format=ssh)");
  const auto parsed = parse_ssh_signature(signature.text());
  if (!parsed) return refused("bad_signature", parsed.error().message);
  const auto when = WallTime(std::chrono::seconds(git_commit_time(object->get())));
  const auto signer = allowed.signer(parsed->key, when);
  if (signer.name.empty())
    return refused(signer.expired ? "expired" : "unknown_key", signer.problem);
  if (const auto verified = verify(*parsed, signed_text.text()); !verified)
    return refused("bad_signature", verified.error().message);
  return signer.name;
}

}  // namespace skep::gitsync
