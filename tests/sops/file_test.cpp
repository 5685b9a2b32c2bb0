#include "sops/file.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "yaml/parse.hpp"

namespace skep::sops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kNow = "2026-01-02T03:04:05Z";

const Identity& mine() {
  static const auto key = Identity::generate();
  return key;
}

Encryption to_me(Rules rules = {}) {
  return {{Identity::generate().recipient(), mine().recipient()}, std::move(rules), kNow};
}

std::string sealed(const std::string& plain, const std::string& file, Rules rules = {}) {
  auto result = encrypt(plain, file, format_of(file), to_me(std::move(rules)));
  EXPECT_TRUE(result) << to_string(result.error());
  return result ? *result : std::string();
}

Result<Decrypted> opened(const std::string& text, const std::string& file) {
  return decrypt(text, file, format_of(file), {mine()});
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

/// The line that begins with `start`, its line end included.
std::string line(const std::string& text, const std::string& start) {
  const auto at = text.find("\n" + start) + 1;
  return text.substr(at, text.find('\n', at) - at + 1);
}

constexpr auto kYaml = R"(# who made this
db:
    user: admin
    password: correct horse   # ask Anna
    port: 5432
    ratio: 1.50
    tls: true
    none: null
    empty: ""
list:
    - battery
    - staple
hosts_unencrypted:
    - db1
cert: |
    -----BEGIN X-----
    AAAA
    -----END X-----
flow: {a: one, b: [2, "three"]}
odd: "it's: \"odd\" # \t ok"
yes: "on"
)";

TEST(SopsFile, AYamlFileComesBackAsItWas) {
  const auto file = sealed(kYaml, "a.sops.yaml");
  for (const auto* secret : {"admin", "correct horse", "5432", "battery", "AAAA", "Anna"})
    EXPECT_THAT(file, Not(HasSubstr(secret)));
  EXPECT_THAT(file, HasSubstr("    - db1\n"));
  EXPECT_THAT(file, HasSubstr("    none: null\n"));
  EXPECT_THAT(file, HasSubstr("\nsops:\n    age:\n        - recipient: age1"));
  ASSERT_EQ(*encrypted_format("a.sops.yaml", file), Format::yaml);
  const auto plain = opened(file, "a.sops.yaml");
  ASSERT_TRUE(plain) << to_string(plain.error());
  const auto before = yaml::parse(kYaml, "x");
  const auto after = yaml::parse(plain->text, "x");
  ASSERT_TRUE(after) << to_string(after.error()) << plain->text;
  EXPECT_THAT(plain->text, HasSubstr("# who made this\n"));
  EXPECT_THAT(plain->text, HasSubstr("password: \"correct horse\"   # ask Anna\n"));
  EXPECT_THAT(plain->text, HasSubstr("cert: |\n    -----BEGIN X-----\n    AAAA\n"));
  EXPECT_THAT(plain->text, HasSubstr("yes: \"on\"\n"));
  EXPECT_THAT(plain->text, HasSubstr("    port: 5432\n"));
  for (const auto* key : {"db", "list", "cert", "flow", "odd", "yes", "hosts_unencrypted"}) {
    const auto dump = [key](const yaml::Node& root) {
      const auto text = std::get_if<std::string>(&root.find(key)->value());
      return text == nullptr ? std::string(root.find(key)->type_name()) : *text;
    };
    EXPECT_EQ(dump(*before), dump(*after)) << key;
  }
  EXPECT_THAT(plain->secrets, testing::Contains("correct horse"));
  EXPECT_THAT(plain->secrets, testing::Contains("5432"));
  EXPECT_THAT(plain->secrets, Not(testing::Contains("db1")));
}

TEST(SopsFile, JsonDotenvAndBinaryComeBackAsTheyWere) {
  const std::string json =
      "{\n  \"a\": {\n    \"b\": [\"x\", 1.5, true, null, 7]\n  },\n  \"c\": \"\"\n}\n";
  const auto file = sealed(json, "a.sops.json");
  EXPECT_THAT(file, HasSubstr(",\n  \"sops\": {\n    \"age\": [\n"));
  const auto back = opened(file, "a.sops.json");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(back->text, json);

  const std::string env = "# note\nA=one\nB=\"two words\"\n\nC=\nD=x\\ny";
  const auto sealed_env = sealed(env, ".env.sops");
  EXPECT_THAT(sealed_env, HasSubstr("\nsops_age__list_0__map_enc=-----BEGIN AGE ENCRYPTED"));
  EXPECT_THAT(sealed_env, Not(HasSubstr("note")));
  const auto env_back = opened(sealed_env, ".env.sops");
  ASSERT_TRUE(env_back) << to_string(env_back.error());
  EXPECT_EQ(env_back->text, env + "\n");

  const std::string binary = std::string("\0\1\xff bytes\n{\"x\"}", 16);
  const auto sealed_binary = sealed(binary, "db_password.sops");
  ASSERT_EQ(*encrypted_format("db_password.sops", sealed_binary), Format::binary);
  const auto binary_back = opened(sealed_binary, "db_password.sops");
  ASSERT_TRUE(binary_back) << to_string(binary_back.error());
  EXPECT_EQ(binary_back->text, binary);
  EXPECT_THAT(binary_back->secrets, ElementsAre(binary));
}

TEST(SopsFile, AnIniFileComesBackAsItWas) {
  const std::string ini =
      "top = one\n\n; who may\n; come in\n[db]\nuser=admin\npassword = \"two words \"\n# ask Anna\n"
      "url : http://x\nempty =\n[flags_unencrypted]\nopen = yes\n";
  const auto file = sealed(ini, "a.sops.ini");
  for (const auto* secret : {"one", "come in", "admin", "two words", "Anna", "http"})
    EXPECT_THAT(file, Not(HasSubstr(secret)));
  EXPECT_THAT(file, HasSubstr("top = ENC["));
  EXPECT_THAT(file, HasSubstr("; ENC["));
  EXPECT_THAT(file,
              HasSubstr("[flags_unencrypted]\nopen = yes\n\n[sops]\nage__list_0__map_enc = "));
  ASSERT_EQ(*encrypted_format("a.sops.ini", file), Format::ini);
  ASSERT_EQ(*encrypted_format("app.ini", file), Format::ini);
  EXPECT_EQ(*encrypted_format("app.ini", "[tools]\nsops = 1\n"), std::nullopt);
  const auto back = opened(file, "a.sops.ini");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(back->text, ini);
  EXPECT_THAT(back->secrets, testing::Contains("two words "));
  EXPECT_EQ(masked(file, "a.ini", Format::ini)->text.substr(0, 11), "top = ***\n\n");
  // A value is bound to its section.
  EXPECT_FALSE(opened(replaced(file, "[db]", "[dc]"), "a.sops.ini"));
  EXPECT_FALSE(opened(replaced(file, "open = yes", "open = no"), "a.sops.ini"));
  EXPECT_TRUE(rotate(file, "a.sops.ini", Format::ini, {mine()}, {}, kNow));
}

TEST(SopsFile, AnIniFileThatReadersDifferAboutIsRefused) {
  for (const auto* plain : {"a = 1 # x\n",
                            "a = \"x\n",
                            "a = x\\\n",
                            "[a]\n[a]\n",
                            "a = 1\na = 2\n",
                            "no value\n",
                            "[a\n",
                            "= 1\n"}) {
    const auto file = encrypt(plain, "a.ini", Format::ini, to_me());
    ASSERT_FALSE(file) << plain;
    EXPECT_TRUE(file.error().at) << plain;
  }
}

TEST(SopsFile, ARecipientThatIsNamedTwiceStandsThereOnce) {
  const auto me = mine().recipient();
  const auto file = encrypt("a: 1\n", "a.yaml", Format::yaml, {{me, me, me}, {}, kNow});
  ASSERT_TRUE(file);
  EXPECT_EQ(file->find("recipient:"), file->rfind("recipient:"));
}

TEST(SopsFile, EmptyFilesAndObjectsCanBeEncrypted) {
  for (const auto& [plain, name] : {std::pair<std::string, std::string>{"", "a.yaml"},
                                    {"# nothing\n", "a.yaml"},
                                    {"{}", "a.json"},
                                    {"", ".env"},
                                    {"", "a.sops"}}) {
    const auto file = sealed(plain, name);
    const auto back = opened(file, name);
    ASSERT_TRUE(back) << name << ": " << to_string(back.error()) << "\n" << file;
    EXPECT_THAT(back->secrets, testing::SizeIs(plain == "# nothing\n" ? 1 : 0));
  }
}

TEST(SopsFile, RulesOfTheFileAreFollowed) {
  Rules rules;
  rules.kind = Rules::Kind::encrypted_regex;
  rules.text = "^(data|pass.*)$";
  const auto file = sealed("name: open\ndata:\n  a: hidden\npassword: secret\n", "a.yaml", rules);
  EXPECT_THAT(file, HasSubstr("name: open\n"));
  EXPECT_THAT(file, Not(HasSubstr("hidden")));
  EXPECT_THAT(file, HasSubstr("encrypted_regex: \"^(data|pass.*)$\"\n"));
  const auto back = opened(file, "a.yaml");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_THAT(back->secrets, ElementsAre("hidden", "secret"));
}

TEST(SopsFile, ARuleThatEncryptsNothingIsNamed) {
  const Rules typo{Rules::Kind::encrypted_regex, "^pasword$", false};
  const auto done = encrypt("user: a\npassword: hidden\n", "a.yaml", Format::yaml, to_me(typo));
  ASSERT_FALSE(done);
  EXPECT_THAT(to_string(done.error()),
              HasSubstr("a.yaml: no value would be encrypted under the rule encrypted_regex: "
                        "\"^pasword$\""));
  const auto plain = encrypt("a_unencrypted: b\n", "a.yaml", Format::yaml, to_me());
  ASSERT_FALSE(plain);
  EXPECT_THAT(plain.error().message, HasSubstr("unencrypted_suffix: \"_unencrypted\""));
}

TEST(SopsFile, ANumberThatWouldComeBackAsAnotherIsRefused) {
  for (const auto& [text, name] :
       {std::pair<std::string, std::string>{"{\"a\": 1, \"n\": 9007199254740993}", "a.json"},
        {"{\"a\": 1, \"n\": -12345678901234567890}", "a.json"},
        {"n: -12345678901234567890\n", "a.yaml"},
        {"n: 12345678901234567890\n", "a.yaml"}}) {
    const auto done = encrypt(text, name, format_of(name), to_me());
    ASSERT_FALSE(done) << text;
    EXPECT_THAT(done.error().message, HasSubstr("put it into quotes")) << text;
    EXPECT_TRUE(done.error().at) << text;
  }
  for (const auto& [text, name] :
       {std::pair<std::string, std::string>{"{\"n\": 9007199254740992, \"z\": 0}", "a.json"},
        {"n: 9007199254740993\n", "a.yaml"}}) {
    const auto back = opened(sealed(text, name), name);
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_THAT(back->text, HasSubstr(text.substr(0, text.find(','))));
  }
}

TEST(SopsFile, ADateThatComesBackAsAMomentIsRemarked) {
  const std::string text = "a: 2024-01-31\nb: '2024-01-31'\nc: 2024-01-31T00:00:00Z\n";
  const auto remarks = changed_forms(text, "a.yaml", Format::yaml, {});
  ASSERT_THAT(remarks, testing::SizeIs(1));
  EXPECT_THAT(to_string(remarks), HasSubstr("a.yaml:1:4: warning"));
}

TEST(SopsFile, WhatIsTooLargeWhenItIsEncryptedSaysWhichLimit) {
  std::string text;
  for (int i = 0; i < 80'000; ++i) text += "k" + std::to_string(i) + ": v\n";
  const auto done = encrypt(text, "a.yaml", Format::yaml, to_me());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("larger than"));
}

TEST(SopsFile, MacOnlyEncryptedLetsPlainValuesChange) {
  Rules rules{Rules::Kind::encrypted_regex, "^secret$", true};
  const auto file = sealed("open: 1\nsecret: s3cret\n", "a.yaml", rules);
  EXPECT_TRUE(opened(replaced(file, "open: 1", "open: 2"), "a.yaml"));
  rules.mac_only_encrypted = false;
  const auto strict = sealed("open: 1\nsecret: s3cret\n", "a.yaml", rules);
  EXPECT_FALSE(opened(replaced(strict, "open: 1", "open: 2"), "a.yaml"));
  // Switching the rule on in a file that was made without it is a change of the file.
  EXPECT_FALSE(opened(
      replaced(strict, "    version:", "    mac_only_encrypted: true\n    version:"), "a.yaml"));
}

struct TamperCase {
  std::string name;
  std::function<std::string(const std::string&)> change;
  std::string message;
  int line = 0;
};
void PrintTo(const TamperCase& row, std::ostream* out) { *out << row.name; }

class Tampered : public testing::TestWithParam<TamperCase> {};

constexpr auto kTamperPlain =
    "a: canary-one\nb: canary-two\nlist:\n    - canary-x1\n    - canary-x2\nn_unencrypted: 5\n";

TEST_P(Tampered, IsRefusedWithFileAndLineAndNoPlainText) {
  const auto file = sealed(kTamperPlain, "a.yaml");
  ASSERT_TRUE(opened(file, "a.yaml"));
  const auto back = opened(GetParam().change(file), "a.yaml");
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message, HasSubstr(GetParam().message));
  EXPECT_THAT(back.error().message, Not(HasSubstr("canary")));
  ASSERT_TRUE(back.error().at);
  EXPECT_EQ(back.error().at->file, "a.yaml");
  EXPECT_EQ(back.error().at->line, GetParam().line);
}

std::string other_file() { return sealed(kTamperPlain, "a.yaml"); }

INSTANTIATE_TEST_SUITE_P(
    Sops,
    Tampered,
    testing::Values(
        TamperCase{"a_changed_value",
                   [](const auto& text) {
                     const auto at = text.find("data:") + 5;
                     auto changed = text;
                     changed[at] = changed[at] == 'A' ? 'B' : 'A';
                     return changed;
                   },
                   "was changed, or moved",
                   1},
        TamperCase{"a_moved_value",
                   [](const auto& text) {
                     auto b = line("\n" + text, "b: ");
                     return replaced(text, b, "b: " + line("\n" + text, "a: ").substr(3));
                   },
                   "was changed, or moved",
                   2},
        TamperCase{"elements_of_a_list_in_another_order",
                   [](const auto& text) {
                     const auto list = text.find("list:\n") + 6;
                     const auto second = text.find('\n', list) + 1;
                     const auto end = text.find('\n', second) + 1;
                     return text.substr(0, list) + text.substr(second, end - second) +
                            text.substr(list, second - list) + text.substr(end);
                   },
                   "does not match its MAC",
                   7},
        TamperCase{"a_removed_entry",
                   [](const auto& text) { return replaced(text, line("\n" + text, "b: "), ""); },
                   "does not match its MAC",
                   6},
        TamperCase{
            "a_changed_plain_value",
            [](const auto& text) { return replaced(text, "n_unencrypted: 5", "n_unencrypted: 6"); },
            "does not match its MAC",
            7},
        TamperCase{"an_added_plain_entry",
                   [](const auto& text) { return "x_unencrypted: 1\n" + text; },
                   "does not match its MAC",
                   8},
        TamperCase{"an_added_entry",
                   [](const auto& text) { return "x: 1\n" + text; },
                   "not encrypted, though",
                   1},
        TamperCase{
            "a_value_replaced_by_plain_text",
            [](const auto& text) { return replaced(text, line("\n" + text, "b: "), "b: other\n"); },
            "not encrypted, though",
            2},
        TamperCase{
            "a_value_replaced_by_nothing",
            [](const auto& text) { return replaced(text, line("\n" + text, "b: "), "b: \"\"\n"); },
            "does not match its MAC",
            7},
        TamperCase{"a_changed_mac",
                   [](const auto& text) {
                     const auto at = text.find("    mac: ENC[AES256_GCM,data:") + 30;
                     auto changed = text;
                     changed[at] = changed[at] == 'A' ? 'B' : 'A';
                     return changed;
                   },
                   "sops.mac cannot be decrypted",
                   7},
        TamperCase{"a_changed_time",
                   [](const auto& text) { return replaced(text, "03:04:05Z", "03:04:06Z"); },
                   "sops.mac cannot be decrypted",
                   7},
        TamperCase{"a_removed_mac",
                   [](const auto& text) { return replaced(text, line(text, "    mac: "), ""); },
                   "has no mac",
                   7},
        TamperCase{"metadata_of_another_file",
                   [](const auto& text) {
                     const auto other = other_file();
                     return text.substr(0, text.find("sops:\n")) +
                            other.substr(other.find("sops:\n"));
                   },
                   "was changed, or moved",
                   1},
        TamperCase{"a_rule_that_would_let_plain_text_in",
                   [](const auto& text) {
                     return replaced(replaced(text, line("\n" + text, "b: "), "b: other\n"),
                                     "unencrypted_suffix: _unencrypted",
                                     "encrypted_regex: \"^(a|list)$\"");
                   },
                   "does not match its MAC",
                   7}),
    [](const auto& row) { return row.param.name; });

TEST(SopsFile, EveryChangedByteOfAnEncryptedFileIsRefusedOrHarmless) {
  const std::string plain = "a: canary-one\nb:\n    - 5\nc_unencrypted: open\n";
  const auto file = sealed(plain, "a.yaml");
  const auto truth = opened(file, "a.yaml");
  ASSERT_TRUE(truth);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    auto changed = file;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto back = opened(changed, "a.yaml");
    if (!back) {
      ++refused;
      EXPECT_THAT(back.error().message, Not(HasSubstr("canary")));
      continue;
    }
    // What stands outside of the values and their MAC may change: the name of a plain key, the
    // version, a recipient's name or the other recipient's key. The values may not.
    EXPECT_EQ(back->secrets, truth->secrets) << "byte " << i;
    EXPECT_THAT(back->text, HasSubstr("open")) << "byte " << i;
  }
  EXPECT_GT(refused, file.size() / 3);
}

TEST(SopsFile, AMissingOrWrongKeyIsNamed) {
  const auto file = sealed("a: secret\n", "a.yaml");
  const auto none = decrypt(file, "a.yaml", Format::yaml, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::unauthorized);
  EXPECT_THAT(none.error().message, HasSubstr("--age-key-file"));
  const auto stranger = Identity::generate();
  const auto wrong = decrypt(file, "a.yaml", Format::yaml, {stranger});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr(mine().recipient().text()));
  EXPECT_THAT(wrong.error().message, HasSubstr(stranger.recipient().text()));
  EXPECT_EQ(wrong.error().at->line, 2);
}

TEST(SopsFile, AFileForOtherKindsOfKeyIsNamed) {
  const auto file =
      std::string("a: ENC[AES256_GCM,data:AA==,iv:AA==,tag:AAAAAAAAAAAAAAAAAAAAAA==,") +
      "type:str]\nsops:\n    kms: []\n    pgp:\n        - fp: F\n          enc: x\n" +
      "    lastmodified: \"t\"\n    mac: ENC[x]\n    version: 3.8.1\n";
  const auto back = opened(file, "a.yaml");
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message, HasSubstr("only pgp"));
}

TEST(SopsFile, WithoutAKeyPlaceholdersStandForValues) {
  const auto file = sealed("a: secret\nb: 5\nc: true\nd_unencrypted: x\n", "a.yaml");
  const auto shown = masked(file, "a.yaml", Format::yaml);
  ASSERT_TRUE(shown) << to_string(shown.error());
  EXPECT_EQ(shown->text, "a: \"***\"\nb: 1\nc: false\nd_unencrypted: x\n");
  EXPECT_THAT(shown->secrets, IsEmpty());
  EXPECT_EQ(masked(sealed("x", "a.sops"), "a.sops", Format::binary)->text, "***");
}

TEST(SopsFile, AnEditChangesOnlyWhatWasChanged) {
  const auto file = sealed("# note\na: one\nb: two\nlist:\n    - x\n    - y\n", "a.yaml");
  auto plain = opened(file, "a.yaml")->text;
  plain = replaced(plain, "b: two", "b: three") + "new: four\n";
  const auto after = update(file, plain, "a.yaml", Format::yaml, {mine()}, "2026-02-02T00:00:00Z");
  ASSERT_TRUE(after) << to_string(after.error());
  EXPECT_EQ(line("\n" + *after, "a: "), line("\n" + file, "a: "));
  EXPECT_EQ(line("\n" + *after, "#ENC"), line("\n" + file, "#ENC"));
  EXPECT_EQ(line(*after, "    - ENC"), line(file, "    - ENC"));
  EXPECT_NE(line(*after, "b: "), line(file, "b: "));
  EXPECT_EQ(after->substr(after->find("sops:\n"), after->find("lastmod") - after->find("sops:\n")),
            file.substr(file.find("sops:\n"), file.find("lastmod") - file.find("sops:\n")));
  EXPECT_EQ(opened(*after, "a.yaml")->text, plain);
  EXPECT_FALSE(update(file, "a: [", "a.yaml", Format::yaml, {mine()}, kNow));
}

Result<std::string> edited(const std::string& file, const std::string& plain) {
  return update(file, plain, "a.yaml", Format::yaml, {mine()}, kNow);
}

TEST(SopsFile, AnEditThatLeavesNothingEncryptedIsRefused) {
  const auto file = sealed(
      "user: a\npassword: hunter2\n", "a.yaml", {Rules::Kind::encrypted_regex, "^password$"});
  const auto after = edited(file, "user: a\npasword: other\n");
  ASSERT_FALSE(after);
  EXPECT_THAT(after.error().message, HasSubstr("no value would be encrypted under the rule"));
  EXPECT_TRUE(edited(file, "user: hunter3\npassword: hunter2\n"));
}

TEST(SopsFile, AnEditThatPutsInPlainWhatWasEncryptedIsRefused) {
  const std::string plain = "user: a\npassword: hunter2\nx: {password: other}\nport: 80\n";
  const auto file = sealed(plain, "a.yaml", {Rules::Kind::encrypted_regex, "^password$"});
  const auto after = edited(file, replaced(plain, "password", "pasword"));
  ASSERT_FALSE(after);
  EXPECT_THAT(to_string(after.error()), HasSubstr("a.yaml:2:10: this value was encrypted"));
  EXPECT_THAT(after.error().message, Not(HasSubstr("hunter2")));
  for (const auto* other : {"user: a\nx: {password: hunter2}\n",
                            "user: a\nlogin: a\npassword: a\n",
                            "user: hunter2\npassword: hunter2\nx: {password: other}\n",
                            "b: other\npassword: other\n"})
    EXPECT_TRUE(edited(file, other)) << other;

  const auto marked = sealed("# enc\na: hunter2\n# enc\nb: other\n",
                             "a.yaml",
                             {Rules::Kind::encrypted_comment_regex, "^ enc"});
  EXPECT_FALSE(edited(marked, "a: hunter2\n# enc\nb: other\n"));
  // Nobody calls a key so without meaning it.
  const auto spared = sealed("a: hunter2\nb: other\n", "a.yaml");
  EXPECT_TRUE(edited(spared, "a_unencrypted: hunter2\nb: other\n"));
}

TEST(SopsFile, WhatTheEditorLeftEmptyIsNotWritten) {
  for (const auto& [name, plain] : {std::pair<std::string, std::string>{"a.yaml", "a: 1\n"},
                                    {"a.ini", "a = 1\n"},
                                    {".env", "A=1\n"},
                                    {"a.sops", "one"}}) {
    for (const auto* left : {"", "\n"}) {
      const auto after = update(sealed(plain, name), left, name, format_of(name), {mine()}, kNow);
      ASSERT_FALSE(after) << name;
      EXPECT_THAT(after.error().message, HasSubstr("nothing is left in the file"));
      EXPECT_TRUE(after.error().at);
    }
  }
  EXPECT_TRUE(edited(sealed("a: 1\n", "a.yaml"), "# later\n"));
}

/// A file that people with keys of other kinds may read, too.
struct MixedCase {
  std::string file;
  std::string plain;
  std::string before;  ///< The metadata of others goes before this.
  std::string others;
};
void PrintTo(const MixedCase& row, std::ostream* out) { *out << row.file; }

class ForOthersToo : public testing::TestWithParam<MixedCase> {};

TEST_P(ForOthersToo, AnEditKeepsAllMetadataButItsStamps) {
  const auto& [name, plain, before, others] = GetParam();
  const auto format = format_of(name);
  const auto file = replaced(sealed(plain, name), before, others + before);
  const auto other = replaced(opened(file, name)->text, "one", "changed");
  const std::string later = "2026-02-02T00:00:00Z";
  const auto after = update(file, other, name, format, {mine()}, later);
  ASSERT_TRUE(after) << to_string(after.error());
  EXPECT_THAT(*after, HasSubstr(others));
  EXPECT_THAT(*after, HasSubstr(later));
  EXPECT_EQ(opened(*after, name)->text, other);
  // What is the same line for line: all but the value and two stamps.
  const auto lines = [](const std::string& text) {
    std::vector<std::string> all;
    std::istringstream stream(text);
    for (std::string entry; std::getline(stream, entry);) all.push_back(entry);
    return all;
  };
  const auto old_lines = lines(file);
  const auto new_lines = lines(*after);
  ASSERT_EQ(new_lines.size(), old_lines.size()) << *after;
  int differ = 0;
  for (std::size_t i = 0; i < old_lines.size(); ++i) differ += old_lines[i] != new_lines[i] ? 1 : 0;
  EXPECT_EQ(differ, 3) << *after;
  const auto turned = rotate(*after, name, format, {mine()}, {}, kNow);
  ASSERT_FALSE(turned);
  EXPECT_THAT(turned.error().message, HasSubstr("rotate it with sops"));
}

INSTANTIATE_TEST_SUITE_P(
    Sops,
    ForOthersToo,
    testing::Values(
        MixedCase{"a.yaml",
                  "a: one\nb: two\n",
                  "    lastmodified:",
                  "    kms: []\n    pgp:\n        # Anna's\n        - created_at: \"2026\"\n"
                  "          enc: |-\n            -----BEGIN PGP MESSAGE-----\n\n            wcF\n"
                  "          fp: F00\n    later: {x: 1}\n"},
        MixedCase{"a.json",
                  "{\n  \"a\": \"one\",\n  \"b\": 2\n}\n",
                  "\"lastmodified\":",
                  "\"pgp\": [{\"fp\": \"F00\", \"enc\": \"a\\nb\"}], \"kms\": null,\n"},
        MixedCase{"a.sops",
                  "one\n",
                  "\"lastmodified\":",
                  "\"pgp\": [{\"fp\": \"F00\", \"enc\": \"a\\nb\"}],\n"},
        MixedCase{".env",
                  "A=one\nB=two\n",
                  "sops_lastmodified=",
                  "sops_kms__list_0__map_arn=x\nsops_pgp__list_0__map_fp=F00\n"},
        MixedCase{"a.ini",
                  "[db]\na = one\nb = two\n",
                  "lastmodified =",
                  "pgp__list_0__map_enc = `a;\\nb`\npgp__list_0__map_fp = F00\n"}),
    [](const auto& row) { return std::to_string(row.index); });

TEST(SopsFile, AnEditKeepsOtherKindsOfKeyInTheirGroup) {
  Encryption how;
  how.now = kNow;
  how.groups = {{mine().recipient()}, {mine().recipient()}};
  const auto file = replaced(*encrypt("a: one\n", "a.yaml", Format::yaml, how),
                             "        - age:\n",
                             "        - pgp:\n            - fp: F00\n          age:\n");
  const auto after = update(file, "a: two\n", "a.yaml", Format::yaml, {mine()}, kNow);
  ASSERT_TRUE(after) << to_string(after.error());
  EXPECT_THAT(*after, HasSubstr("        - pgp:\n            - fp: F00\n          age:\n"));
  EXPECT_EQ(opened(*after, "a.yaml")->text, "a: two\n");
}

TEST(SopsFile, RotationMakesEveryValueAnewForTheSameOrOtherRecipients) {
  const auto file = sealed(kYaml, "a.yaml");
  const auto same = rotate(file, "a.yaml", Format::yaml, {mine()}, {}, kNow);
  ASSERT_TRUE(same) << to_string(same.error());
  EXPECT_NE(line(*same, "    user: "), line(file, "    user: "));
  EXPECT_EQ(opened(*same, "a.yaml")->secrets, opened(file, "a.yaml")->secrets);
  const auto heir = Identity::generate();
  const auto given = rotate(file, "a.yaml", Format::yaml, {mine()}, {heir.recipient()}, kNow);
  ASSERT_TRUE(given);
  EXPECT_FALSE(opened(*given, "a.yaml"));
  EXPECT_TRUE(decrypt(*given, "a.yaml", Format::yaml, {heir}));
  const auto binary = sealed("bytes", "x.sops");
  EXPECT_TRUE(rotate(binary, "x.sops", Format::binary, {mine()}, {}, kNow));
}

TEST(SopsFile, RotationKeepsTypesAndComments) {
  const std::string plain = "# note\na: 1e3\nb: [1.0, 2]\nc: \"12\"\nd: 2024-01-31\n";
  const auto file = sealed(plain, "a.yaml");
  const auto turned = rotate(file, "a.yaml", Format::yaml, {mine()}, {}, kNow);
  ASSERT_TRUE(turned) << to_string(turned.error());
  EXPECT_EQ(opened(*turned, "a.yaml")->text, opened(file, "a.yaml")->text);
  const auto types = [](const std::string& text) {
    std::vector<std::string> all;
    for (auto at = text.find(",type:"); at != std::string::npos; at = text.find(",type:", at + 1))
      all.push_back(text.substr(at + 6, text.find(']', at) - at - 6));
    return all;
  };
  EXPECT_EQ(types(*turned), types(file));
  EXPECT_EQ(types(file).at(1), "float");
}

TEST(SopsFile, AKeySplitOverGroupsNeedsAsManyOfThemAsTheThresholdSays) {
  const Identities people = {Identity::generate(), Identity::generate(), Identity::generate()};
  Encryption how;
  how.now = kNow;
  how.threshold = 2;
  for (const auto& person : people)
    how.groups.push_back({Identity::generate().recipient(), person.recipient()});
  const std::pair<const char*, const char*> files[] = {
      {"a.yaml", "a: secret\n"}, {"a.json", "{\n  \"a\": \"secret\"\n}\n"}, {".env", "A=secret\n"}};
  for (const auto& [name, plain] : files) {
    const auto file = encrypt(plain, name, format_of(name), how);
    ASSERT_TRUE(file) << to_string(file.error());
    EXPECT_THAT(*file, HasSubstr("shamir_threshold"));
    const auto with = [&](Identities keys) { return decrypt(*file, name, format_of(name), keys); };
    EXPECT_EQ(with({people[2], people[0]})->text, plain);
    EXPECT_EQ(with(people)->text, plain);
    const auto one = with({people[1]});
    ASSERT_FALSE(one);
    EXPECT_EQ(one.error().kind, ErrorKind::unauthorized);
    EXPECT_THAT(one.error().message, HasSubstr("3 groups, of which 2 are needed"));
    const auto turned = rotate(*file, name, format_of(name), people, {}, kNow);
    ASSERT_TRUE(turned) << to_string(turned.error());
    EXPECT_EQ(decrypt(*turned, name, format_of(name), {people[1], people[2]})->text, plain);
    EXPECT_FALSE(decrypt(*turned, name, format_of(name), {people[1]}));
    const auto edited = update(*file, plain, name, format_of(name), people, kNow);
    ASSERT_TRUE(edited) << to_string(edited.error());
    EXPECT_EQ(decrypt(*edited, name, format_of(name), {people[0], people[1]})->text, plain);
  }
  how.threshold = 1;
  EXPECT_THAT(encrypt("a: 1\n", "a.yaml", Format::yaml, how).error().message,
              HasSubstr("from 2 to 3"));
  EXPECT_THAT(rotate(*encrypt("a: 1\n", "a.yaml", Format::yaml, {{}, {}, kNow, how.groups, 0}),
                     "a.yaml",
                     Format::yaml,
                     people,
                     {mine().recipient()},
                     kNow)
                  .error()
                  .message,
              HasSubstr("several groups"));
}

TEST(SopsFile, WhatIsEncryptedAsACommentIsNoValue) {
  const auto file = sealed("a: hidden\nb: 1\n", "a.yaml");
  const auto other = replaced(file, ",type:str]", ",type:comment]");
  const auto back = opened(other, "a.yaml");
  ASSERT_FALSE(back);
  EXPECT_THAT(to_string(back.error()),
              HasSubstr("a.yaml:1:4: the value is encrypted as a comment"));
}

TEST(SopsFile, CommentThatCannotBeDecryptedIsToldAndStays) {
  const auto file = sealed("a: hidden\n# note\nb: 1\n", "a.yaml");
  EXPECT_THAT(opened(file, "a.yaml")->remarks, IsEmpty());
  const auto at = file.find("#ENC[AES256_GCM,data:") + 21;
  auto other = file;
  other[at] = other[at] == 'A' ? 'B' : 'A';
  const auto back = opened(other, "a.yaml");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_THAT(to_string(back->remarks), HasSubstr("a.yaml:2:2: warning: the comment cannot"));
  EXPECT_THAT(back->text, HasSubstr("#ENC["));
}

TEST(SopsFile, CommentsDecideWhereARuleIsAboutThem) {
  const Rules rules{Rules::Kind::encrypted_comment_regex, "sops:enc", false};
  const std::string plain =
      "# head\nopen: 1\n# sops:enc\nkey: hidden-1\nalso: open\nx: hidden-2 # sops:enc\n"
      "# sops:enc\nmap:\n    a: hidden-3\n    b: [hidden-4]\nlist:\n    # sops:enc\n"
      "    - hidden-5\n    - plain\nlast: open\n";
  const auto file = sealed(plain, "a.yaml", rules);
  EXPECT_THAT(file, Not(HasSubstr("hidden")));
  for (const auto* kept : {"# head\nopen: 1\n# sops:enc\nkey: ENC[",
                           "also: open\n",
                           " # sops:enc\n",
                           "    - plain\nlast: open\n",
                           "encrypted_comment_regex: \"sops:enc\"\n"})
    EXPECT_THAT(file, HasSubstr(kept));
  const auto back = opened(file, "a.yaml");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(back->secrets,
            (std::vector<std::string>{"hidden-1", "hidden-2", "hidden-3", "hidden-4", "hidden-5"}));
  EXPECT_THAT(masked(file, "a.yaml", Format::yaml)->text, HasSubstr("key: \"***\"\nalso: open\n"));

  const Rules spared{Rules::Kind::unencrypted_comment_regex, "public", false};
  const auto other = sealed("a: hidden\n# public\nb: open\n# note\nc: hidden\n", "a.yaml", spared);
  EXPECT_THAT(other, Not(HasSubstr("hidden")));
  EXPECT_THAT(other, Not(HasSubstr("note")));
  EXPECT_THAT(other, HasSubstr("# public\nb: open\n#ENC["));
  ASSERT_TRUE(opened(other, "a.yaml"));

  const auto env = sealed("A=1\n# public\nB=2\nC=3\n", ".env", spared);
  EXPECT_THAT(env, HasSubstr("\n# public\nB=2\nC=ENC["));
  ASSERT_TRUE(opened(env, ".env"));
}

TEST(SopsFile, ACommentThatDecidesMustStandWhereItIsClearOfWhat) {
  const Rules rules{Rules::Kind::encrypted_comment_regex, "sops:enc", false};
  for (const auto* plain : {"a: 1\n# sops:enc\n\nb: 2\n",
                            "a:\n    b: 1\n    # sops:enc\nc: 2\n",
                            "a: # sops:enc\n    b: 1\n",
                            "a: [1, 2] # sops:enc\n",
                            "a: 1\n# sops:enc\n"}) {
    const auto file = encrypt(plain, "a.yaml", Format::yaml, to_me(rules));
    ASSERT_FALSE(file) << plain;
    EXPECT_THAT(file.error().message, HasSubstr("directly above a key")) << plain;
    EXPECT_TRUE(file.error().at) << plain;
  }
}

TEST(SopsFile, AValueExchangedUnderARuleAboutCommentsIsFound) {
  for (const bool only : {false, true}) {
    const Rules rules{Rules::Kind::encrypted_comment_regex, "sops:enc", only};
    const auto file = sealed("# sops:enc\na: hidden\nb: open\n", "a.yaml", rules);
    const auto value = line(file, "a: ");
    EXPECT_FALSE(opened(replaced(file, value, "a: other\n"), "a.yaml"));
    EXPECT_FALSE(opened(replaced(file, "b: open\n", "b: " + value.substr(3)), "a.yaml"));
  }
}

TEST(SopsFile, WhatIsEncryptedIsNotEncryptedAgain) {
  const auto file = sealed("a: 1\n", "a.yaml");
  EXPECT_THAT(encrypt(file, "a.yaml", Format::yaml, to_me()).error().message,
              HasSubstr("encrypted already"));
  EXPECT_THAT(encrypt(line("\n" + file, "a: "), "a.yaml", Format::yaml, to_me()).error().message,
              HasSubstr("encrypted already"));
  EXPECT_THAT(encrypt("{a: 1}", "a.yaml", Format::yaml, to_me()).error().message,
              HasSubstr("first column"));
  EXPECT_THAT(encrypt("a: 1", "a.yaml", Format::yaml, {{}, {}, kNow}).error().message,
              HasSubstr("no recipient"));
}

TEST(SopsFile, ABinaryFileIsEncryptedWholeWhateverTheRulesSayOfKeys) {
  for (const auto kind : kRuleKinds) {
    const auto file = encrypt("bytes", "x.sops", Format::binary, to_me({kind, "^data$"}));
    ASSERT_TRUE(file) << name_of(kind) << ": " << to_string(file.error());
    EXPECT_THAT(*file, Not(HasSubstr("bytes"))) << name_of(kind);
    EXPECT_THAT(*file, HasSubstr("\"unencrypted_suffix\": \"_unencrypted\"")) << name_of(kind);
    EXPECT_EQ(opened(*file, "x.sops")->text, "bytes") << name_of(kind);
  }
}

TEST(SopsFormat, IsKnownByNameAndText) {
  const auto yaml = sealed("a: 1\n", "a.yaml");
  const auto json = sealed("{\"a\": 1}", "a.json");
  const auto env = sealed("A=1\n", ".env");
  const auto binary = sealed("x", "x");
  EXPECT_EQ(*encrypted_format("values.yml", yaml), Format::yaml);
  EXPECT_EQ(*encrypted_format("x.json", json), Format::json);
  EXPECT_EQ(*encrypted_format("app.env", env), Format::dotenv);
  EXPECT_EQ(*encrypted_format("config.toml", binary), Format::binary);
  EXPECT_EQ(*encrypted_format("settings", env), Format::dotenv);
  EXPECT_EQ(*encrypted_format("settings", yaml), Format::yaml);
  EXPECT_EQ(*encrypted_format("values.yaml", "a: 1\nsops: tool\n"), std::nullopt);
  EXPECT_EQ(*encrypted_format("x.json", R"({"tools": ["sops"], "mac": "aa:bb"})"), std::nullopt);
  EXPECT_EQ(*encrypted_format("x.json", R"({"x": {"sops": 1}, "mac": "broken)"), std::nullopt);
  EXPECT_EQ(*encrypted_format("x.yaml", "sops: tool\nhost:\n  mac: aa\n"), std::nullopt);
  EXPECT_EQ(*encrypted_format("notes.md", "we use sops, values look like ENC[AES256_GCM,…]"),
            std::nullopt);
  EXPECT_EQ(*encrypted_format(".sops.yaml", "creation_rules:\n- age: x\n  mac_only: 1\n"),
            std::nullopt);
}

TEST(SopsFormat, AnEncryptedNameOrValueWithoutMetadataIsRefused) {
  for (const auto* name : {"a.sops.yaml", "d/.env.sops", "password.sops", "x.sops.json"})
    EXPECT_FALSE(encrypted_format(name, "A=1\n")) << name;
  const auto yaml = sealed("a: 1\n", "a.yaml");
  const auto cut = yaml.substr(0, yaml.find("sops:\n"));
  EXPECT_THAT(encrypted_format("values.yaml", cut).error().message, HasSubstr("is missing"));
}

TEST(SopsFormat, RemovingTheMacDoesNotMakeAFilePlain) {
  const auto yaml = sealed("a: 1\n", "a.yaml");
  const auto format = encrypted_format("a.yaml", replaced(yaml, line(yaml, "    mac: "), ""));
  ASSERT_TRUE(format);
  EXPECT_EQ(*format, Format::yaml);
}

}  // namespace
}  // namespace skep::sops
