#include "gitsync/remote.hpp"

#include <exception>
#include <filesystem>
#include <optional>

#include "gitsync/one_line.hpp"
#include "gitsync/private_key.hpp"
#include "gitsync/trust.hpp"

namespace skep::gitsync {
namespace {

std::string key_type(git_cert_ssh_raw_type_t type) {
  switch (type) {
    case GIT_CERT_SSH_RAW_TYPE_RSA:
      return "ssh-rsa";
    case GIT_CERT_SSH_RAW_TYPE_DSS:
      return "ssh-dss";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_256:
      return "ecdsa-sha2-nistp256";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_384:
      return "ecdsa-sha2-nistp384";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_521:
      return "ecdsa-sha2-nistp521";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ED25519:
      return "ssh-ed25519";
    default:
      return "";
  }
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

/// What libgit2's callbacks answer, and what went wrong in them: they cannot return an Error.
class Remote::Dialogue {
 public:
  Dialogue(const RemoteUrl& url,
           const Credentials& credentials,
           const FetchLimits& limits,
           std::optional<Proxy> proxy)
      : url_(url), credentials_(credentials), limits_(limits), proxy_(std::move(proxy)) {}

  git_remote_callbacks callbacks() {
    git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
    callbacks.payload = this;
    callbacks.credentials = [](git_credential** out,
                               const char*,
                               const char*,
                               unsigned int allowed,
                               void* self) noexcept {
      return static_cast<Dialogue*>(self)->guarded(
          [&](Dialogue& dialogue) { return dialogue.answer_credentials(out, allowed); });
    };
    callbacks.certificate_check =
        [](git_cert* certificate, int valid, const char*, void* self) noexcept {
          return static_cast<Dialogue*>(self)->guarded([&](Dialogue& dialogue) {
            return dialogue.check_certificate(certificate, valid != 0);
          });
        };
    callbacks.transfer_progress = [](const git_indexer_progress* progress, void* self) noexcept {
      return static_cast<Dialogue*>(self)->guarded(
          [&](Dialogue& dialogue) { return dialogue.check_progress(*progress); });
    };
    return callbacks;
  }

  /// The error of a failed call: what a callback stored, else libgit2's own in our words.
  Error error(int code) {
    auto error = git_error_of(code, "git");
    if (stored_) return *std::exchange(stored_, std::nullopt);
    const auto& text = error.message;
    if (contains(text, "http status code: 401") || contains(text, "http status code: 403"))
      return refuse("the remote refuses access; " + how_to_log_in());
    if (contains(text, "http status code: 404"))
      return refuse("the remote knows no such repository, or hides it from these credentials");
    if (contains(text, "cannot redirect"))
      return refuse(
          "the remote redirects to another host, which is not followed: give the final "
          "URL (" +
          text + ")");
    // Where it was asked for one type it may have another (host_key_types.hpp).
    if (contains(text, "exchange encryption keys")) {
      tried_.no_common_type = true;
      return refuse("the host " + url_.host() +
                    " and the ssh library here have no kind of host key or key exchange in common "
                    "(" +
                    text +
                    "); the host needs an Ed25519 or ECDSA key: of an RSA key the library may know "
                    "the signature by SHA-1 only, which servers refuse");
    }
    if (contains(text, "objectformat") || contains(text, "object-format"))
      return Error{ErrorKind::invalid_input,
                   "the repository names its objects by SHA-256, which cannot be read here: make "
                   "it without --object-format=sha256"};
    if (contains(text, "REF pkt-line"))  // It lists something else beside its refs, or longer ids.
      return Error{error.kind,
                   "the remote's list of refs cannot be read (" + text +
                       "): it may be a shallow clone (`git fetch --unshallow` there brings the "
                       "rest), or name its objects by SHA-256, which cannot be read here"};
    if (contains(text, "object not found") || contains(text, "shallow"))
      return Error{error.kind,
                   "the remote lacks a part of its history (" + text + ")" +
                       (is_shallow() ? ": it is a shallow clone;" : "; is it a shallow clone?") +
                       " `git fetch --unshallow` there brings the rest"};
    if (url_.scheme() == RemoteUrl::Scheme::ssh && asked_key_ > 0 &&
        (code == GIT_EAUTH || contains(text, "authenticat")))
      return refuse(key_refused() + " (" + text + ")");
    if (proxy_)
      error.message += " (through the proxy " + proxy_->shown + " that " + proxy_->variable +
                       " names; NO_PROXY can name hosts that need none)";
    return error;
  }

  const HostKeyTry& tried() const { return tried_; }

  std::uint64_t received() const { return received_; }

 private:
  static Error refuse(std::string why) { return Error{ErrorKind::unauthorized, std::move(why)}; }

  template <typename F>
  int guarded(F&& answer) noexcept {
    try {
      return answer(*this);
    } catch (const std::exception&) {  // no memory: nothing else throws here
      return GIT_EUSER;
    }
  }

  int fail(Error error, int code = GIT_EUSER) {
    stored_ = std::move(error);
    return code;
  }

  /// Only of one on this machine can that be seen.
  bool is_shallow() const {
    const std::filesystem::path path(url_.path());
    std::error_code nothing;
    return url_.scheme() == RemoteUrl::Scheme::file &&
           (std::filesystem::exists(path / "shallow", nothing) ||
            std::filesystem::exists(path / ".git" / "shallow", nothing));
  }

  std::string how_to_log_in() const {
    if (url_.scheme() == RemoteUrl::Scheme::ssh) return std::string(use_ed25519());
    return "give a user and an access token that may read it (SKEP_GIT_USER and "
           "SKEP_GIT_PASSWORD_FILE)";
  }

  std::string key_refused() const {
    std::string why = "the remote did not accept the ssh key " + credentials_.ssh_key_file +
                      " for the user " + url_.user();
    const auto info = read_private_key(credentials_.ssh_key_file);
    if (info && info->type == "ssh-rsa")
      return why +
             ": it is an RSA key, and the ssh library here may sign with SHA-1 only, which git "
             "hosts refuse; " +
             std::string(use_ed25519());
    if (info && info->encrypted) why += "; is its passphrase right?";
    return why + "; is its .pub file registered there?";
  }

  int answer_credentials(git_credential** out, unsigned int allowed) {
    if (url_.scheme() == RemoteUrl::Scheme::ssh) return answer_ssh(out, allowed);
    if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) == 0)
      return fail(refuse("the remote wants a way to log in that is not supported"));
    if (credentials_.password.empty() && credentials_.user.empty())
      return fail(refuse("the remote asks for credentials; " + how_to_log_in()));
    if (asked_password_++ > 0)
      return fail(
          refuse("the remote refuses the user or the password (token); " + how_to_log_in()));
    const std::string user = credentials_.user.empty() ? "git" : credentials_.user;
    const std::string password(credentials_.password.reveal());
    return git_credential_userpass_plaintext_new(out, user.c_str(), password.c_str());
  }

  int answer_ssh(git_credential** out, unsigned int allowed) {
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0)
      return git_credential_username_new(out, url_.user().c_str());
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) == 0)
      return fail(refuse("the remote accepts no ssh key for the user " + url_.user()));
    if (credentials_.ssh_key_file.empty())
      return fail(refuse("the remote wants an ssh key: give one with --git-ssh-key FILE; " +
                         std::string(use_ed25519())));
    if (asked_key_++ > 0) return fail(refuse(key_refused()));
    const auto info = read_private_key(credentials_.ssh_key_file);
    if (!info) return fail(info.error());
    if (info->encrypted && credentials_.ssh_key_passphrase.empty())
      return fail(refuse("the ssh key " + credentials_.ssh_key_file +
                         " has a passphrase, and none was given: give a key without one, best one "
                         "that is a deploy key of this repository only, or take the passphrase out "
                         "of a copy: cp " +
                         credentials_.ssh_key_file + " COPY && ssh-keygen -p -N '' -f COPY"));
    const std::string passphrase(credentials_.ssh_key_passphrase.reveal());
    return git_credential_ssh_key_new(out,
                                      url_.user().c_str(),
                                      nullptr,
                                      credentials_.ssh_key_file.c_str(),
                                      passphrase.empty() ? nullptr : passphrase.c_str());
  }

  int check_certificate(git_cert* certificate, bool valid) {
    if (certificate->cert_type == GIT_CERT_X509) {
      if (valid) return 0;
      const auto* const x509 = reinterpret_cast<const git_cert_x509*>(certificate);
      const std::string_view der(static_cast<const char*>(x509->data), x509->len);
      if (is_trusted_by_address(url_, credentials_, der)) return 0;
      return fail(distrust(url_, credentials_, der), GIT_ECERTIFICATE);
    }
    if (certificate->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
      const auto* const shown = reinterpret_cast<const git_cert_hostkey*>(certificate);
      if ((shown->type & GIT_CERT_SSH_SHA256) == 0)
        return fail(refuse("the ssh library does not tell the host key's SHA-256"));
      HostKey key;
      key.sha256.assign(reinterpret_cast<const char*>(shown->hash_sha256),
                        sizeof shown->hash_sha256);
      if ((shown->type & GIT_CERT_SSH_RAW) != 0) key.type = key_type(shown->raw_type);
      // libgit2's own judgement (a known_hosts file in the home directory) is not asked.
      auto error = check_host_key(url_, credentials_, key);
      if (!error) return 0;
      tried_.refused = std::move(key);
      return fail(*std::move(error), GIT_ECERTIFICATE);
    }
    return fail(refuse("the remote's identity cannot be checked"), GIT_ECERTIFICATE);
  }

  int check_progress(const git_indexer_progress& progress) {
    received_ = progress.received_bytes;
    if (progress.received_bytes > limits_.pack_bytes)
      return fail(Error{ErrorKind::invalid_input,
                        "the remote sends more than " + std::to_string(limits_.pack_bytes) +
                            " bytes, the limit of one fetch"});
    if (progress.total_objects > limits_.objects)
      return fail(Error{ErrorKind::invalid_input,
                        "the remote sends " + std::to_string(progress.total_objects) +
                            " objects, more than the limit of " + std::to_string(limits_.objects)});
    return 0;
  }

  const RemoteUrl& url_;
  const Credentials& credentials_;
  const FetchLimits& limits_;
  const std::optional<Proxy> proxy_;
  HostKeyTry tried_;
  int asked_password_ = 0, asked_key_ = 0;
  std::uint64_t received_ = 0;
  std::optional<Error> stored_;
};

Remote::Remote(RemoteHandle remote, std::unique_ptr<Dialogue> dialogue, std::optional<Proxy> proxy)
    : dialogue_(std::move(dialogue)), proxy_(std::move(proxy)), remote_(std::move(remote)) {}

git_proxy_options Remote::proxy_options() const {
  git_proxy_options options = GIT_PROXY_OPTIONS_INIT;
  options.type = proxy_ ? GIT_PROXY_SPECIFIED : GIT_PROXY_NONE;
  if (proxy_) options.url = proxy_->url.c_str();
  return options;
}

Remote::~Remote() {
  if (remote_ && git_remote_connected(remote_.get()) == 1) git_remote_disconnect(remote_.get());
}

Result<std::unique_ptr<Remote>> Remote::connect(git_repository* repository,
                                                const RemoteUrl& url,
                                                const Credentials& credentials,
                                                const FetchLimits& limits,
                                                HostKeyTry* tried) {
  // libgit2 would call that an unsupported protocol.
  std::error_code nothing;
  if (url.scheme() == RemoteUrl::Scheme::file && !std::filesystem::exists(url.path(), nothing))
    return Error{ErrorKind::unavailable, "there is no repository at " + url.path()};
  git_remote_create_options create = GIT_REMOTE_CREATE_OPTIONS_INIT;
  create.repository = repository;
  create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
  auto made =
      acquire<RemoteHandle>("remote", git_remote_create_with_opts, url.text().c_str(), &create);
  if (!made) return std::move(made).error();
  auto proxy = proxy_for(url);
  if (!proxy) return std::move(proxy).error();
  auto remote = std::unique_ptr<Remote>(new Remote(
      std::move(*made), std::make_unique<Dialogue>(url, credentials, limits, *proxy), *proxy));
  git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  options.callbacks = remote->dialogue_->callbacks();
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts = remote->proxy_options();
  if (const int code = git_remote_connect_ext(remote->remote_.get(), GIT_DIRECTION_FETCH, &options);
      code < 0) {
    auto error = remote->dialogue_->error(code);
    if (tried != nullptr) *tried = remote->dialogue_->tried();
    return error;
  }
  if (auto listed = remote->list(limits); !listed) return std::move(listed).error();
  return remote;
}

Result<void> Remote::list(const FetchLimits& limits) {
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (const int code = git_remote_ls(&heads, &count, remote_.get()); code < 0)
    return dialogue_->error(code);
  if (count > limits.refs)
    return Error{ErrorKind::invalid_input,
                 "the remote has " + std::to_string(count) + " refs, more than the limit of " +
                     std::to_string(limits.refs)};
  for (std::size_t at = 0; at < count; ++at) {
    const std::string name = heads[at]->name;
    if (name.find('^') != std::string::npos) continue;
    refs_.push_back(RemoteRef{.name = name, .id = to_hex(heads[at]->oid)});
  }
  git_buf head = GIT_BUF_INIT;
  if (git_remote_default_branch(&head, remote_.get()) == 0) head_.assign(head.ptr, head.size);
  git_buf_dispose(&head);
  git_error_clear();
  return {};
}

Result<std::uint64_t> Remote::download(const std::vector<std::string>& refspecs) {
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  options.callbacks = dialogue_->callbacks();
  options.update_fetchhead = 0;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts = proxy_options();
  std::vector<std::string> copies = refspecs;
  std::vector<char*> texts;
  for (auto& copy : copies) {
    // A pattern is valid with a destination only; nothing is written there by a download.
    if (copy.back() == '*') copy += ":refs/skep/unused/" + copy.substr(5);
    texts.push_back(copy.data());
  }
  const git_strarray specs{texts.data(), texts.size()};
  if (const int code = git_remote_download(remote_.get(), &specs, &options); code < 0)
    return dialogue_->error(code);
  return dialogue_->received();
}

}  // namespace skep::gitsync
