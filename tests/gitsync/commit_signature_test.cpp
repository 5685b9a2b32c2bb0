#include "gitsync/commit_signature.hpp"

#include <openssl/evp.h>

#include "core/digest.hpp"
#include "gitsync/ssh_signature.hpp"
#include "tests/gitsync/source_fixture.hpp"

// Signed commits, made by the real git and ssh-keygen.
namespace skep::gitsync::test {
namespace {

using testing::HasSubstr;

class SignedCommits : public SourceTest {
 protected:
  void SetUp() override {
    git_ = program("git");
    keygen_ = program("ssh-keygen");
    if (git_.empty() || keygen_.empty()) GTEST_SKIP() << "git and ssh-keygen are needed";
    git({"init", "-q", "--bare", "-b", "main", remote()});
    git({"init", "-q", "-b", "main", tree()});
    git({"-C", tree(), "remote", "add", "origin", remote()});
  }
  [[nodiscard]] std::string remote() const { return (temp_.path() / "remote.git").string(); }
  [[nodiscard]] std::string tree() const { return (temp_.path() / "tree").string(); }

  std::string git(const std::vector<std::string>& words, const std::string& input = {}) {
    std::vector<std::string> command{git_,
                                     "-c",
                                     "user.name=Ann",
                                     "-c",
                                     "user.email=ann@example.com",
                                     "-c",
                                     "gpg.format=ssh",
                                     "-c",
                                     "gpg.ssh.program=" + keygen_};
    command.insert(command.end(), words.begin(), words.end());
    const auto done = run(command, input);
    EXPECT_EQ(done.exit_code, 0) << words.front() << ": " << done.output;
    auto out = done.output;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }
  /// A key of that kind; its private file.
  std::string key(const std::string& name,
                  const std::vector<std::string>& kind = {"-t", "ed25519"}) {
    const auto file = (temp_.path() / name).string();
    std::vector<std::string> command{keygen_, "-q", "-N", "", "-C", "", "-f", file};
    command.insert(command.end(), kind.begin(), kind.end());
    EXPECT_EQ(run(command).exit_code, 0);
    return file;
  }
  static std::string public_key(const std::string& file) { return read_file(file + ".pub"); }
  /// Pushes a commit, signed with that key; "" for none.
  std::string push(const std::string& key) {
    write_file(tree() + "/file", std::to_string(++commits_));
    git({"-C", tree(), "add", "."});
    if (key.empty()) {
      git({"-C", tree(), "commit", "-q", "-m", "a change"});
    } else {
      git({"-C", tree(), "-c", "user.signingkey=" + key, "commit", "-q", "-S", "-m", "a change"});
    }
    git({"-C", tree(), "push", "-q", "-f", "origin", "HEAD:main"});
    return git({"-C", tree(), "rev-parse", "HEAD"});
  }
  /// Pushes a commit object of that text.
  std::string push_object(const std::string& text) {
    const auto id =
        git({"-C", tree(), "hash-object", "-t", "commit", "-w", "--stdin", "--literally"}, text);
    git({"-C", tree(), "push", "-q", "-f", "origin", id + ":refs/heads/main"});
    return id;
  }
  static AllowedSigners allowed(const std::string& text) {
    auto parsed = AllowedSigners::parse(text, "signers");
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *std::move(parsed) : AllowedSigners();
  }
  std::unique_ptr<Git2Source> source(const std::string& signers) {
    auto with = options(remote());
    if (!signers.empty()) with.allowed_signers = allowed(signers);
    return open(std::move(with));
  }
  std::string git_, keygen_;
  int commits_ = 0;
};

TEST_F(SignedCommits, OfEveryKindOfKeyAreFetched) {
  const std::map<std::string, std::vector<std::string>> kinds = {
      {"ed25519", {"-t", "ed25519"}},
      {"p256", {"-t", "ecdsa", "-b", "256"}},
      {"p384", {"-t", "ecdsa", "-b", "384"}},
      {"p521", {"-t", "ecdsa", "-b", "521"}},
      {"rsa", {"-t", "rsa", "-b", "2048"}}};
  std::string signers = "# the people\n\n";
  std::map<std::string, std::string> files;
  for (const auto& [name, kind] : kinds) {
    files[name] = key(name, kind);
    signers += name + "@example.com " + public_key(files[name]);
  }
  const auto source = this->source(signers);
  for (const auto& [name, file] : files) {
    SCOPED_TRACE(name);
    const auto commit = push(file);
    EXPECT_EQ(fetched(*source), commit);
    const auto signer = signer_of(mirror(), commit, allowed(signers));
    ASSERT_TRUE(signer) << signer.error().message;
    EXPECT_EQ(*signer, name + "@example.com");
  }
}

TEST_F(SignedCommits, WhatNobodySignedIsRefusedAndTheLastGoodOneStays) {
  const auto ann = key("ann"), eve = key("eve");
  const auto source = this->source("ann@example.com " + public_key(ann));
  const auto good = push(ann);
  ASSERT_EQ(fetched(*source), good);
  const auto plain = push("");
  auto error = fetch_error(*source);
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_EQ(source->refusal(), "unsigned");
  EXPECT_THAT(error.message,
              HasSubstr("the commit " + plain.substr(0, 12) +
                        " is not carried out: it is not signed; sign it (git commit -S"));
  push(eve);
  error = fetch_error(*source);
  auto print = run({keygen_, "-lf", eve + ".pub"}).output;
  print = print.substr(print.find("SHA256:"));
  print = print.substr(0, print.find(' '));
  EXPECT_THAT(error.message,
              HasSubstr("signed with the key " + print + ", which is nobody's whose signatures"));
  EXPECT_EQ(source->refusal(), "unknown_key");
  EXPECT_EQ(source->last_good()->revision().commit, good);
  EXPECT_TRUE(source->failing_since());
  const auto mended = push(ann);
  EXPECT_EQ(fetched(*source), mended) << "what lies between is covered by the last signature";
  EXPECT_EQ(source->refusal(), "");
}

TEST_F(SignedCommits, AnOlderCommitIsJudgedToo) {
  const auto ann = key("ann");
  const auto old = push("");
  const auto free = source("");
  ASSERT_EQ(fetched(*free), old);
  const auto strict = source("ann@example.com " + public_key(ann));
  EXPECT_EQ(strict->last_good(), nullptr) << "it was good before signatures counted";
  const auto good = push(ann);
  ASSERT_EQ(fetched(*strict), good);
  const auto back = strict->snapshot_at(old);
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message, HasSubstr("it is not signed"));
}

TEST_F(SignedCommits, TimeAndPurposeOfAKeyCount) {
  const auto ann = key("ann");
  const auto commit = push(ann);
  const auto signer = [&](const std::string& options) {
    const auto source = this->source("");
    EXPECT_EQ(fetched(*source), commit);
    const auto found = signer_of(mirror(), commit, allowed("ann " + options + public_key(ann)));
    return found ? *found : found.error().message;
  };
  EXPECT_EQ(signer("valid-after=\"20200101\",namespaces=\"file,git\" "), "ann");
  EXPECT_EQ(signer("valid-before=\"99991231235959Z\" "), "ann");
  EXPECT_THAT(signer("valid-before=\"20200101\" "),
              HasSubstr("not valid at the time of the commit"));
  EXPECT_THAT(signer("valid-after=\"99991231\" "),
              HasSubstr("not valid at the time of the commit"));
  EXPECT_THAT(signer("namespaces=\"file\" "), HasSubstr("does not count for git"));
}

TEST_F(SignedCommits, ASignatureOfOtherContentIsRefused) {
  const auto ann = key("ann");
  push(ann);
  const auto source = this->source("ann " + public_key(ann));
  auto text = git({"-C", tree(), "cat-file", "commit", "HEAD"}) + "\n";
  const auto at = text.rfind("a change");
  ASSERT_NE(at, std::string::npos);
  push_object(text.replace(at, 8, "evil one"));
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("does not fit its content"));
}

TEST_F(SignedCommits, OpenPgpIsNamed) {
  const auto ann = key("ann");
  push(ann);
  const auto source = this->source("ann " + public_key(ann));
  auto text = git({"-C", tree(), "cat-file", "commit", "HEAD"}) + "\n";
  for (auto at = text.find("SSH SIGNATURE"); at != std::string::npos;
       at = text.find("SSH SIGNATURE"))
    text.replace(at, 13, "PGP SIGNATURE");
  push_object(text);
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("only SSH signatures are supported"));
}

TEST_F(SignedCommits, ASignatureForAnotherPurposeIsNoneForGit) {
  const auto ann = key("ann");
  write_file(temp_.path() / "text", "a text\n");
  ASSERT_EQ(
      run({keygen_, "-q", "-Y", "sign", "-n", "file", "-f", ann, (temp_.path() / "text").string()})
          .exit_code,
      0);
  const auto armored = read_file((temp_.path() / "text.sig").string());
  const auto signature = parse_ssh_signature(armored);
  ASSERT_TRUE(signature);
  EXPECT_THAT(verify(*signature, "a text\n").error().message, HasSubstr("not made for git"));
  // Cut anywhere it is an error, never a crash.
  for (std::size_t length = 0; length < armored.size() - 1; ++length)
    (void)parse_ssh_signature(armored.substr(0, length) + "\n-----END SSH SIGNATURE-----");
  for (std::size_t at = 40; at < armored.size() - 40; ++at) {
    auto damaged = armored;
    damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
    if (const auto parsed = parse_ssh_signature(damaged)) {
      auto for_git = *parsed;
      for_git.name_space = "git";
      EXPECT_FALSE(verify(for_git, "a text\n"));
    }
  }
}

std::string wire(const std::string& text) {
  const auto size = text.size();
  return std::string{static_cast<char>(size >> 24U),
                     static_cast<char>(size >> 16U),
                     static_cast<char>(size >> 8U),
                     static_cast<char>(size)} +
         text;
}

/// What a security token would do, which no machine of ours has.
TEST(SshSignature, OfASecurityTokenNeedsItsOwnerToTouchIt) {
  const Handle<EVP_PKEY, EVP_PKEY_free> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  ASSERT_NE(key, nullptr);
  std::string raw(32, '\0');
  std::size_t size = raw.size();
  ASSERT_EQ(
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size),
      1);
  const std::string type = "sk-ssh-ed25519@openssh.com";
  const auto made = [&](char flags) {
    SshSignature signature;
    signature.key = wire(type) + wire(raw) + wire("ssh:");
    signature.name_space = "git";
    signature.hash = "sha256";
    signature.algorithm = type;
    const auto message = "SSHSIG" + wire("git") + wire("") + wire("sha256") + wire(sha256("text"));
    const std::string counter = std::string(1, flags) + std::string("\0\0\0\7", 4);
    const auto body = sha256("ssh:") + counter + sha256(message);
    std::string signed_body(64, '\0');
    std::size_t length = signed_body.size();
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()), 1);
    EXPECT_EQ(EVP_DigestSign(context.get(),
                             reinterpret_cast<unsigned char*>(signed_body.data()),
                             &length,
                             reinterpret_cast<const unsigned char*>(body.data()),
                             body.size()),
              1);
    signature.blob = wire(signed_body) + counter;
    return signature;
  };
  EXPECT_TRUE(verify(made(1), "text"));
  EXPECT_FALSE(verify(made(1), "other text"));
  EXPECT_FALSE(verify(made(0), "text")) << "nobody touched it";
}

TEST(AllowedSigners, MistakesHaveTheirLine) {
  const auto error = [](const std::string& text) {
    const auto parsed = AllowedSigners::parse(text, "signers");
    return parsed ? std::string() : to_string(parsed.error());
  };
  EXPECT_THAT(error("# nobody\n"), HasSubstr("names nobody"));
  EXPECT_THAT(error("# one\nann ssh-ed25519\n"), HasSubstr("signers:2:1"));
  EXPECT_THAT(error("ann cert-authority ssh-ed25519 AAAA\n"), HasSubstr("not supported"));
  EXPECT_THAT(error("ann wisdom=\"a b\" ssh-ed25519 AAAA\n"), HasSubstr("not known"));
  EXPECT_THAT(error("ann valid-after=\"soon\" ssh-ed25519 AAAA\n"), HasSubstr("such as 20260131"));
  EXPECT_THAT(error("ann valid-after=\"20260231\" ssh-ed25519 AAAA\n"), HasSubstr("20260131"));
  EXPECT_EQ(error("ann ssh-ed25519 AAAA a comment\r\n"), "");
}

}  // namespace
}  // namespace skep::gitsync::test
