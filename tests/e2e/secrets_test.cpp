// Promise 7 and attack 17: what was encrypted in git is nowhere but where it belongs. Canaries are
// planted in every kind of file, taken through deployment, change and failure by the real agent on
// a real engine, and then looked for in everything that a person or a program can read of skep.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/digest.hpp"
#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string base64_of(const std::string& text) {
  std::string coded = base64(text);
  while (coded.ends_with('=')) coded.pop_back();
  // The last character depends on what follows.
  coded.pop_back();
  return coded;
}

std::string escaped(const std::string& text) {
  const auto quoted = nlohmann::json(text).dump();
  return quoted.substr(1, quoted.size() - 2);
}

class Secrets : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto made = skep({"secret", "keygen", "-o", key()});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    recipient_ = made.out.substr(0, made.out.find('\n'));
    secret_key_ = read(key());
    secret_key_ = secret_key_.substr(secret_key_.find("AGE-SECRET-KEY-"), 60);
  }

  [[nodiscard]] std::string key() const { return (directory() / "key.txt").string(); }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Writes an encrypted file into the repository.
  void seal(const std::string& path, const std::string& plain) {
    repo->write(path, plain);
    const auto file = repo->tree() + "/" + path;
    const auto done = skep({"secret", "encrypt", "--age", recipient_, file});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    ASSERT_THAT(read(file), HasSubstr("ENC[AES256_GCM"));
  }
  /// A value that must be seen nowhere; it has every character that programs escape.
  std::string canary(const std::string& name, const std::string& more = {}) {
    auto value = "canary-" + name + "-" + std::to_string(++count_) + more;
    canaries_.push_back(value);
    return value;
  }

  /// Which canaries a text holds, in which form.
  [[nodiscard]] std::vector<std::string> leaks(const std::string& what,
                                               const std::string& text) const {
    std::vector<std::string> found;
    auto values = canaries_;
    values.push_back(secret_key_);
    for (const auto& value : values) {
      for (const auto& form : {value,
                               escaped(value),
                               base64_of(value),
                               base64_of("x" + value).substr(2),
                               base64_of("xy" + value).substr(3)}) {
        const auto at = text.find(form);
        if (at == std::string::npos) continue;
        found.push_back(what + ": " + form + " in …" +
                        text.substr(at < 100 ? 0 : at - 100, form.size() + 160) + "…");
        break;
      }
    }
    return found;
  }
  void collect(const std::string& what, const std::string& text) {
    for (auto& leak : leaks(what, text)) leaks_.push_back(std::move(leak));
    ++looked_at_;
  }
  void collect(const std::string& what, const lab::CommandOutput& output) {
    collect(what, output.out);
    collect(what + " (errors)", output.err);
  }
  /// Everything that can be read of skep now.
  void look(const std::string& when) {
    for (const auto& words : std::vector<std::vector<std::string>>{{"status"},
                                                                   {"status", "shop"},
                                                                   {"status", "-o", "json"},
                                                                   {"explain", "shop"},
                                                                   {"history"},
                                                                   {"events"},
                                                                   {"trace", "shop_app"}}) {
      auto command = words;
      command.insert(command.end(), {"--socket", agent->socket()});
      collect(when + ": skep " + words.front(), skep(command));
    }
    for (const auto* path : {"/api/v1/status",
                             "/api/v1/stacks",
                             "/api/v1/stacks/apps/shop",
                             "/api/v1/stacks/apps/shop/explain",
                             "/api/v1/history",
                             "/api/v1/events",
                             "/metrics",
                             "/nothing"}) {
      collect(when + ": GET " + path,
              lab::run({"curl",
                        "-gs",
                        "--max-time",
                        "20",
                        "--unix-socket",
                        agent->socket(),
                        std::string("http://skep") + path}));
    }
    for (const auto* format : {"text", "json", "markdown"}) {
      for (const auto& keys : {std::vector<std::string>{"--age-key-file", key()}, {}}) {
        std::vector<std::string> command{"plan", "-o", format, "--repo", repo->tree()};
        command.insert(command.end(), keys.begin(), keys.end());
        collect(when + ": skep plan -o " + format, skep(command));
      }
    }
    for (const auto* verb : {"validate", "render"}) {
      std::vector<std::string> command{verb, "--repo", repo->tree(), "--age-key-file", key()};
      if (std::string(verb) == "render") command.insert(command.begin() + 1, "shop");
      collect(when + ": skep " + verb, skep(command));
      command.insert(command.end(), {"-o", "json"});
      collect(when + ": skep " + verb + " -o json", skep(command));
    }
    collect(when + ": log", agent->log());
    for (const auto& entry : fs::recursive_directory_iterator(directory() / "agent")) {
      if (entry.is_regular_file()) collect(when + ": " + entry.path().string(), read(entry));
    }
    for (const auto& [name, object] : objects("configs")) {
      if (name.starts_with("skep-")) collect(when + ": state object", object.dump());
    }
  }

  std::string recipient_;
  std::string secret_key_;
  std::vector<std::string> canaries_;
  std::vector<std::string> leaks_;
  int count_ = 0;
  int looked_at_ = 0;
};

TEST_F(Secrets, Promise7_WhatWasEncryptedIsNowhereButWhereItBelongs) {
  const auto compose = [](const std::string& more) {
    return "services:\n  app: " +
           service(kImage1,
                   "env_file: [more.env], secrets: [pass], configs: [conf], environment: {"
                   " URL: \"postgres://u:${DB_PASSWORD}@db\", PIN: \"${PIN}\" }, labels: {"
                   " note: \"${LABEL}\" }" +
                       more) +
           "secrets: { pass: { file: ./pass.sops } }\n"
           "configs: { conf: { file: ./conf.sops.yaml } }\n";
  };
  const auto plant = [&](const std::string& when) {
    seal("apps/shop/.env.sops",
         "DB_PASSWORD=" + canary("env" + when, "-a/b+c%d") + "\nPIN=" + "77" +
             std::to_string(count_ + 10) + "\nLABEL=" + canary("label" + when) +
             "\nIMAGE=" + canary("image" + when) + "\n");
    seal("apps/shop/more.env", "TOKEN=" + canary("token" + when, "\\\\x&y<z>") + "\n");
    seal("apps/shop/pass.sops", canary("secret" + when) + "\n" + canary("line" + when) + "\n");
    seal("apps/shop/conf.sops.yaml",
         "user: " + canary("user" + when) + "\nlist: [\"" + canary("list" + when) + "\"]\n");
    seal("shared.sops", canary("shared" + when));
  };
  repo->write("skep.yaml",
              "defaults: { resolve_image: never, timeout: 60s }\n"
              "secrets: { shared: { file: shared.sops } }\n");
  plant("-first");
  repo->stack("shop", compose(""));
  auto commit = repo->push();
  start_agent({"--age-key-file", key(), "--log-level", "trace"});
  ASSERT_TRUE(agent->wait_for_commit(commit));
  // It is there, where it belongs.
  const auto env = objects("services")
                       .at("shop_app")
                       .at("Spec")
                       .at("TaskTemplate")
                       .at("ContainerSpec")
                       .at("Env")
                       .dump();
  EXPECT_THAT(env, HasSubstr("canary-env-first"));
  EXPECT_THAT(env, HasSubstr("canary-token-first"));
  look("deployed");

  // Changed in git, and planned before the agent carries it out.
  plant("-second");
  repo->stack("shop", compose(""));
  look("changed");
  commit = repo->push();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  look("updated");

  // The engine quotes what it cannot start.
  repo->stack("shop", compose(", command: [\"/${IMAGE}\", \"${LABEL}\"]"));
  repo->push("broken");
  EXPECT_TRUE(eventually(
      [&] {
        const auto stack = agent->stack("shop").dump();
        return stack.find("executable file not found") != std::string::npos ||
               stack.find("no such file or directory") != std::string::npos ||
               stack.find("failed") != std::string::npos;
      },
      std::chrono::seconds(60)))
      << agent->stack("shop").dump(2);
  look("failing");
  // The API refuses a name, and says which.
  repo->stack("shop", compose(", hostname: \"${DB_PASSWORD}\", networks: [\"${LABEL}\"]"));
  repo->push("refused");
  EXPECT_TRUE(eventually([&] {
    const auto status = agent->status();
    return status.dump().find("refused") != std::string::npos ||
           stack_of(status, "shop").dump().find("LABEL") != std::string::npos ||
           stack_of(status, "shop").dump().find("network") != std::string::npos;
  }));
  look("refused");
  EXPECT_GT(looked_at_, 100);
  EXPECT_THAT(leaks_, IsEmpty());
}

// A setting is a secret like another one once it stands in an encrypted file.
TEST_F(Secrets, ThatAreWordsOfTheApiLeaveItsAnswersReadable) {
  seal("apps/shop/.env.sops",
       "LOG_LEVEL=warning\nRUNTIME=docker\nA=synced\nB=healthy\nC=revision\n");
  repo->stack(
      "shop",
      "services:\n  app: " + service(kImage1,
                                     "environment: { A: \"${A}\", B: \"${B}\", C: \"${C}\", "
                                     "LOG_LEVEL: \"${LOG_LEVEL}\", RUNTIME: \"${RUNTIME}\" }"));
  const auto commit = repo->push("all is healthy");
  start_agent({"--age-key-file", key()});
  ASSERT_TRUE(agent->wait_for_commit(commit));
  const auto status = skep({"status", "--socket", agent->socket()});
  EXPECT_EQ(status.exit_code, 0) << status.out << status.err;
  EXPECT_THAT(status.out, HasSubstr("synced       healthy"));
  EXPECT_THAT(status.out, HasSubstr("all is ***"));
  EXPECT_THAT(skep({"events", "--socket", agent->socket()}).out, HasSubstr("-> healthy"));
}

TEST_F(Secrets, AFileThatWasTamperedWithIsRefusedAndNothingIsWritten) {
  seal("apps/shop/pass.sops", canary("tampered"));
  repo->stack("shop",
              "services:\n  app: " + service(kImage1, "secrets: [pass]") +
                  "secrets: { pass: { file: ./pass.sops } }\n");
  repo->stack("other", "services:\n  app: " + service(kImage1));
  const auto path = repo->tree() + "/apps/shop/pass.sops";
  auto text = read(path);
  const auto at = text.find("data:") + 5;
  text[at] = text[at] == 'A' ? 'B' : 'A';
  repo->write("apps/shop/pass.sops", text);
  repo->push();
  start_agent({"--age-key-file", key()});
  ASSERT_TRUE(agent->wait_until("the other stack is healthy", [](const nlohmann::json& status) {
    return is(stack_of(status, "other"), "synced", "healthy");
  }));
  EXPECT_THAT(names("services"), testing::ElementsAre("other_app"));
  EXPECT_THAT(agent->stack("shop").dump(), HasSubstr("was changed"));
  EXPECT_THAT(leaks("status", agent->status().dump() + agent->log()), IsEmpty());
}

TEST_F(Secrets, WithoutAKeyThatStackIsAnErrorAndTheOthersGoOn) {
  seal("apps/shop/.env.sops", "A=" + canary("nokey") + "\n");
  repo->stack("shop", "services:\n  app: " + service(kImage1, "environment: { A: \"${A}\" }"));
  repo->stack("other", "services:\n  app: " + service(kImage1));
  repo->push();
  start_agent();
  ASSERT_TRUE(agent->wait_until("the other stack is healthy", [](const nlohmann::json& status) {
    return is(stack_of(status, "other"), "synced", "healthy");
  }));
  EXPECT_THAT(names("services"), testing::ElementsAre("other_app"));
  EXPECT_THAT(agent->stack("shop").dump(), HasSubstr("no age key"));
  // A look without the key is no error, and shows the place of the value.
  const auto valid = skep({"validate", "--repo", repo->tree()});
  EXPECT_EQ(valid.exit_code, 0) << valid.out << valid.err;
  const auto applied = skep({"apply", "shop", "--repo", repo->tree()});
  EXPECT_EQ(applied.exit_code, 1) << applied.out;
  EXPECT_THAT(names("services"), testing::ElementsAre("other_app"));
}

TEST_F(Secrets, AKeyOfTheFlagIsUsedWhateverAVariableSays) {
  seal("x.sops.yaml", "a: one-value\n");
  auto variables = environment();
  variables["SKEP_AGE_KEY_FILE"] = key();
  const auto decrypted = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {binary(), "secret", "decrypt", repo->tree() + "/x.sops.yaml"});
    return lab::run(more, variables);
  };
  EXPECT_EQ(decrypted({}).out, "a: one-value\n");
  const auto wrong = decrypted({"--age-key-file", "/not/there"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("--age-key-file: open /not/there"));
}

TEST_F(Secrets, WhatCouldNotBeReadAgainIsNotWritten) {
  const auto recipient = skep({"secret", "keygen", "-o", (directory() / "k").string()}).out;
  const auto encrypt =
      [&](const std::string& from, const std::string& text, const std::string& to) {
        repo->write(from, text);
        return skep({"secret",
                     "encrypt",
                     "--age",
                     recipient.substr(0, recipient.size() - 1),
                     repo->tree() + "/" + from,
                     "-o",
                     repo->tree() + "/" + to});
      };
  for (const auto& [from, text, to] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"p.txt", "hunter2\n", "x.sops.yaml"},
           {"p.txt", "hunter2\n", "x.sops.json"},
           {"e.env", "A=b\n", "z.sops.yaml"},
           {"v.yaml", "a: b\n", "y.sops.json"},
           {"v.json", "{\"data\": \"b\"}\n", "y.sops"}}) {
    const auto done = encrypt(from, text, to);
    EXPECT_EQ(done.exit_code, 1) << to;
    EXPECT_THAT(done.err, HasSubstr(to)) << "and what to do";
    EXPECT_FALSE(fs::exists(repo->tree() + "/" + to)) << to;
  }
  EXPECT_EQ(encrypt("named.txt", "a: b\n", "named.sops.yaml").exit_code, 0)
      << "what has no format takes that of its target";
  EXPECT_EQ(encrypt("p.txt", "hunter2\n", "p.sops").exit_code, 0);
}

TEST_F(Secrets, ARuleIsFoundByThePathOfWhatIsEncrypted) {
  const auto recipient = skep({"secret", "keygen", "-o", (directory() / "k").string()}).out;
  repo->write(".sops.yaml",
              "creation_rules:\n"
              "  - path_regex: \\.env$\n    encrypted_regex: PASSWORD\n    age: " +
                  recipient + "  - age: " + recipient);
  repo->write("apps/x/.env", "USER=anna\nPASSWORD=hidden\n");
  const auto target = repo->tree() + "/apps/x/.env.sops";
  const auto done = skep({"secret", "encrypt", repo->tree() + "/apps/x/.env", "-o", target});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(read(target), HasSubstr("USER=anna\n"));
}

TEST_F(Secrets, StandardInputIsEncryptedToStandardOutput) {
  const auto recipient = skep({"secret", "keygen", "-o", (directory() / "k").string()}).out;
  const auto done = skep(
      {"secret", "encrypt", "-", "--age", recipient.substr(0, recipient.size() - 1)}, "hunter2\n");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("ENC[AES256_GCM,"));
  EXPECT_FALSE(fs::exists("-"));
}

TEST_F(Secrets, AnEditKeepsModeAndOtherValuesAndLeavesNoPlainTextBehind) {
  seal("x.sops.yaml", "a: one-value\nb: two-value\n");
  const auto path = repo->tree() + "/x.sops.yaml";
  fs::permissions(path, fs::perms(0640));
  const auto before = read(path);
  const auto run = [&](const std::string& editor) {
    auto variables = environment();
    variables["EDITOR"] = editor;
    return lab::run({binary(), "secret", "edit", path, "--age-key-file", key()}, variables);
  };
  const auto script = directory() / "editor";
  std::ofstream(script) << "#!/bin/sh\nstat -c '%a %n' \"$1\" > " << (directory() / "seen").string()
                        << "\nsed -i s/two-value/three-value/ \"$1\"\n";
  fs::permissions(script, fs::perms::owner_all);
  const auto edited = run(script.string());
  ASSERT_EQ(edited.exit_code, 0) << edited.err;
  auto after = read(path);
  EXPECT_EQ(after.substr(0, after.find('\n')), before.substr(0, before.find('\n')));
  EXPECT_NE(after, before);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0640));
  const auto seen = read(directory() / "seen");
  EXPECT_THAT(seen, testing::StartsWith("600 "));
  const auto temporary = seen.substr(4, seen.find('\n') - 4);
  EXPECT_FALSE(fs::exists(temporary));
  EXPECT_FALSE(fs::exists(fs::path(temporary).parent_path()));
  const auto shown = skep({"secret", "decrypt", path, "--age-key-file", key()});
  EXPECT_EQ(shown.out, "a: one-value\nb: three-value\n");
  EXPECT_EQ(run("sed -i 's/three-value/a  b/'").exit_code, 0);
  EXPECT_THAT(skep({"secret", "decrypt", path, "--age-key-file", key()}).out, HasSubstr("a  b"));
  after = read(path);
  EXPECT_THAT(run("sed 's").err, HasSubstr("EDITOR: "));
  // An editor that fails, or makes nonsense, changes nothing.
  EXPECT_EQ(run("false").exit_code, 1);
  std::ofstream(script) << "#!/bin/sh\necho 'a: [' > \"$1\"\n";
  const auto nonsense = run(script.string());
  EXPECT_EQ(nonsense.exit_code, 1);
  EXPECT_EQ(read(path), after);
}

TEST_F(Secrets, AFileThatChangedWhileItWasEditedStaysAndTheEditIsKeptBesideIt) {
  seal("y.sops.yaml", "a: one-value\n");
  seal("x.sops.yaml", "a: one-value\n");
  const auto path = repo->tree() + "/x.sops.yaml";
  const auto script = directory() / "editor";
  std::ofstream(script) << "#!/bin/sh\nsed -i s/one/two/ \"$1\"\ncp " << repo->tree()
                        << "/y.sops.yaml " << path << "\n";
  fs::permissions(script, fs::perms::owner_all);
  auto variables = environment();
  variables["EDITOR"] = script.string();
  const std::vector<std::string> edit{binary(), "secret", "edit", path, "--age-key-file", key()};
  const auto done = lab::run(edit, variables);
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("edited-x.sops.yaml"));
  EXPECT_EQ(read(path), read(repo->tree() + "/y.sops.yaml"));
  const auto beside = repo->tree() + "/edited-x.sops.yaml";
  EXPECT_EQ(skep({"secret", "decrypt", beside, "--age-key-file", key()}).out, "a: two-value\n");
  // The kept edit is not lost to the next one.
  seal("y.sops.yaml", "a: one-other\n");
  EXPECT_THAT(lab::run(edit, variables).err, HasSubstr("edited-x.sops.yaml is there already"));
}

TEST_F(Secrets, AnEditThatIsInterruptedLeavesNoPlainTextBehind) {
  seal("x.sops.yaml", "a: one-value\n");
  const auto path = repo->tree() + "/x.sops.yaml";
  const auto before = read(path);
  const auto script = directory() / "editor";
  const auto seen = directory() / "seen";
  std::ofstream(script) << "#!/bin/sh\necho \"$1\" > " << seen.string() << "\nexec sleep 60\n";
  fs::permissions(script, fs::perms::owner_all);
  auto variables = environment();
  variables["EDITOR"] = script.string();
  const auto shell = binary() + " secret edit " + path + " --age-key-file " + key() +
                     " & p=$!; until [ -s " + seen.string() +
                     " ]; do sleep 0.05; done; kill -TERM $p; wait $p";
  const auto done = lab::run({"sh", "-c", shell}, variables);
  EXPECT_EQ(done.exit_code, 1) << done.err;
  auto temporary = read(seen);
  temporary.pop_back();
  EXPECT_FALSE(fs::exists(fs::path(temporary).parent_path())) << temporary;
  EXPECT_EQ(read(path), before);
}

TEST_F(Secrets, AnEditThatIsStoppedAtItsPromptLeavesNoPlainTextBehind) {
  seal("x.sops.yaml", "a: one-value\n");
  const auto path = repo->tree() + "/x.sops.yaml";
  const auto before = read(path);
  const auto script = directory() / "editor";
  const auto seen = directory() / "seen";
  std::ofstream(script) << "#!/bin/sh\necho 'a: [' > \"$1\"\necho \"$1\" > " << seen.string()
                        << "\n";
  fs::permissions(script, fs::perms::owner_all);
  auto variables = environment();
  variables["EDITOR"] = script.string();
  const auto screen = (directory() / "screen").string();
  const auto own = (directory() / "pid").string();
  const auto keys = (directory() / "keys").string();
  ASSERT_EQ(lab::run({"mkfifo", keys}, variables).exit_code, 0);
  for (const auto* signal : {"INT", "TERM", "HUP"}) {
    fs::remove(screen);
    // `script` gives it a terminal, on which nobody types; the shell becomes skep, so that its
    // number is known.
    const auto shell = "exec 3<>" + keys + "; script -qfec 'echo $$ > " + own + "; exec " +
                       binary() + " secret edit " + path + " --age-key-file " + key() + "' " +
                       screen + " <&3 > /dev/null & p=$!; until grep -q 'Press Enter' " + screen +
                       "; do sleep 0.05; done; kill -" + signal + " $(cat " + own + "); wait $p";
    const auto done = lab::run({"timeout", "60", "sh", "-c", shell}, variables);
    EXPECT_EQ(done.exit_code, 1) << signal << done.err;
    auto temporary = read(seen);
    temporary.pop_back();
    EXPECT_FALSE(fs::exists(fs::path(temporary).parent_path())) << signal << ": " << temporary;
    EXPECT_EQ(read(path), before);
  }
}

}  // namespace
}  // namespace skep::e2e
