#include "gitsync/known_hosts.hpp"

#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace skep::gitsync {
namespace {

// Made for this test by ssh-keygen, hashed by `ssh-keygen -H`, fingerprints by `ssh-keygen -lf`.
const std::string kEd25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIKYGBwZzQnwB7fffzOdn3Xv/Cmm/Zp0fI41nLXXTNwFL";
const std::string kEcdsa =
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHYFzvTA/"
    "AjwqumV4Edbqj9YsW7uCKHPqHtCRlnOCVjJoyU2k+mGYjdOmrDo/ahKTO7cQn5pKWjCmlWRb+leaM4=";

HostKey ed25519() { return {"ssh-ed25519", sha256(*from_base64(kEd25519))}; }
HostKey ecdsa() { return {"ecdsa-sha2-nistp256", sha256(*from_base64(kEcdsa))}; }
HostKey another() { return {"ssh-ed25519", sha256("another")}; }

TEST(KnownHosts, FingerprintsAreThoseOfSshKeygen) {
  EXPECT_EQ(fingerprint(ed25519()), "SHA256:rOBxKgXXxdmjNKpkbatFHhEc8YWTy6D0PWLjuS3E2to");
  EXPECT_EQ(fingerprint(ecdsa()), "SHA256:7nEBHOmQ7oNa9EsygRgOzCQppQwYqJ25wwULQJmypsk");
}

TEST(KnownHosts, APinMayLackPrefixAndPaddingButNothingElse) {
  EXPECT_TRUE(is_pinned({"x", "SHA256:rOBxKgXXxdmjNKpkbatFHhEc8YWTy6D0PWLjuS3E2to"}, ed25519()));
  EXPECT_TRUE(is_pinned({"rOBxKgXXxdmjNKpkbatFHhEc8YWTy6D0PWLjuS3E2to="}, ed25519()));
  EXPECT_FALSE(is_pinned({"SHA256:rOBxKgXXxdmjNKpkbatFHhEc8YWTy6D0PWLjuS3E2t"}, ed25519()));
  EXPECT_FALSE(is_pinned({""}, ed25519()));
  EXPECT_FALSE(is_pinned({}, ed25519()));
}

TEST(KnownHosts, FindsAPlainName) {
  const auto text =
      "# comment\n\nother.example.com ssh-ed25519 AAAA\r\n  Git.Example.com,10.0.0.1 "
      "ssh-ed25519 " +
      kEd25519 + " bea@laptop\r\n";
  EXPECT_EQ(look_up(text, "git.example.com", 22, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "GIT.example.com", 22, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "10.0.0.1", 22, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "git.example.com", 2222, ed25519()), HostKeyVerdict::unknown);
  EXPECT_EQ(look_up(text, "xgit.example.com", 22, ed25519()), HostKeyVerdict::unknown);
}

TEST(KnownHosts, FindsHashedNames) {
  const std::string text =
      "|1|F7kzz+5amOcIy1NEusU+vCRrrFU=|wvwN6dRDylB5+j1oZnYgqBR7Fbk= ssh-ed25519 " + kEd25519 +
      "\n|1|jE07Ag5Ndz1EXHXNqPBFaLiYVEo=|bd0ck9U083Q4KZszZQAx37FzXJA= "
      "ssh-ed25519 " +
      kEd25519 + "\n";
  EXPECT_EQ(look_up(text, "git.example.com", 2222, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "plain.example.com", 22, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "git.example.com", 22, ed25519()), HostKeyVerdict::unknown);
  EXPECT_EQ(look_up(text, "git.example.com", 2222, another()), HostKeyVerdict::changed);
}

TEST(KnownHosts, TellsAChangedKeyFromAnotherType_Attack25) {
  const auto text = "h ssh-ed25519 " + kEd25519 + "\n";
  EXPECT_EQ(look_up(text, "h", 22, another()), HostKeyVerdict::changed);
  EXPECT_EQ(look_up(text, "h", 22, ecdsa()), HostKeyVerdict::other);
  EXPECT_EQ(look_up(text + "h ecdsa-sha2-nistp256 " + kEcdsa, "h", 22, ecdsa()),
            HostKeyVerdict::known);
  EXPECT_EQ(look_up("", "h", 22, ed25519()), HostKeyVerdict::unknown);
}

TEST(KnownHosts, TakesWildcardsAndNegation) {
  const auto text = "*.example.com,!evil.example.com,gi?.org ssh-ed25519 " + kEd25519;
  EXPECT_EQ(look_up(text, "a.b.example.com", 22, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "git.org", 22, ed25519()), HostKeyVerdict::known);
  EXPECT_EQ(look_up(text, "evil.example.com", 22, ed25519()), HostKeyVerdict::unknown);
  EXPECT_EQ(look_up(text, "example.com", 22, ed25519()), HostKeyVerdict::unknown);
  EXPECT_EQ(look_up(std::string(200, '*') + "b ssh-ed25519 " + kEd25519,
                    std::string(250, 'a'),
                    22,
                    ed25519()),
            HostKeyVerdict::unknown);
}

TEST(KnownHosts, LinesOfOneHostComeUnderItsPlainName) {
  const std::string text =
      "|1|F7kzz+5amOcIy1NEusU+vCRrrFU=|wvwN6dRDylB5+j1oZnYgqBR7Fbk= ssh-ed25519 " + kEd25519 +
      " x\n@revoked * ecdsa-sha2-nistp256 " + kEcdsa + "\nother ssh-ed25519 " + kEd25519 + "\n";
  EXPECT_EQ(lines_for(text, "git.example.com", 2222, "ssh-ed25519"),
            "[git.example.com]:2222 ssh-ed25519 " + kEd25519 + "\n");
  EXPECT_EQ(lines_for(text, "other", 22, "ssh-ed25519"), "other ssh-ed25519 " + kEd25519 + "\n");
  EXPECT_EQ(lines_for(text, "none", 22, "ssh-ed25519"), "");
  EXPECT_EQ(lines_for(text, "other", 22, "ssh-rsa"), "");
}

TEST(KnownHosts, ARevokedKeyIsRefusedAlsoWhereItIsListed) {
  const auto text = "h ssh-ed25519 " + kEd25519 + "\n@revoked * ssh-ed25519 " + kEd25519 + "\n";
  EXPECT_EQ(look_up(text, "h", 22, ed25519()), HostKeyVerdict::revoked);
  EXPECT_EQ(look_up("@cert-authority * ssh-ed25519 " + kEd25519, "h", 22, ed25519()),
            HostKeyVerdict::unknown);
}

TEST(KnownHosts, LinesThatCannotBeReadVouchForNobody) {
  for (const char* const text : {"h",
                                 "h ssh-ed25519",
                                 "h ssh-ed25519 !!!",
                                 "|1| ssh-ed25519 AAAA",
                                 "|1|x|y ssh-ed25519 AAAA",
                                 "@revoked",
                                 "|1|",
                                 ",,, ssh-ed25519 AAAA",
                                 "\n\n \t\n"})
    EXPECT_NE(look_up(text, "h", 22, ed25519()), HostKeyVerdict::known) << text;
}

}  // namespace
}  // namespace skep::gitsync
