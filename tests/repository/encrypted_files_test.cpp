#include <gmock/gmock.h>

#include "repository/desired_state.hpp"
#include "sops/file.hpp"
#include "tests/fakes/memory_repository.hpp"

namespace skep::repository {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using tests::MemorySnapshot;
using tests::one_service;

const sops::Identity& key() {
  static const auto identity = sops::Identity::generate();
  return identity;
}

std::string sealed(const std::string& path, const std::string& plain) {
  auto file = sops::encrypt(
      plain, path, sops::format_of(path), {{key().recipient()}, {}, "2026-01-02T03:04:05Z"});
  EXPECT_TRUE(file) << file.error().message;
  return *file;
}

LoadOptions options(bool with_key, bool placeholders = false) {
  Decryption decryption;
  if (with_key) decryption.identities = {key()};
  decryption.placeholders = placeholders;
  LoadOptions options;
  options.decryption = std::make_shared<const Decryption>(std::move(decryption));
  return options;
}

DesiredState load(const std::map<std::string, std::string>& files, const LoadOptions& options) {
  auto state = load_desired_state(MemorySnapshot(files, "c1"), options, nullptr);
  EXPECT_TRUE(state) << state.error().message;
  return *std::move(state);
}

std::vector<std::string> environment(const DesiredState& state) {
  return state.stacks.front()->spec.services.at("web").spec.task_template.container.env;
}

std::map<std::string, std::string> everywhere() {
  return {{"apps/x/docker-compose.yml",
           one_service("a:1") + "    environment: ['URL=postgres://${DB_PASSWORD}@db']\n"
                                "    env_file: [more.env]\n"
                                "    secrets: [db]\n    configs: [app]\n"
                                "secrets: { db: { file: ./db.sops } }\n"
                                "configs: { app: { file: ./app.sops.yaml } }\n"},
          {"apps/x/.env", "DB_PASSWORD=overwritten\nPLAIN=x\n"},
          {"apps/x/.env.sops", sealed(".env.sops", "DB_PASSWORD=correct-horse\n")},
          {"apps/x/more.env", sealed("more.env", "TOKEN=battery-staple\n")},
          {"apps/x/db.sops", sealed("db.sops", "s3cret-bytes\n")},
          {"apps/x/app.sops.yaml", sealed("app.sops.yaml", "user: someone-else\nport: 5432\n")},
          {"skep.yaml", "secrets: { shared: { file: shared.sops } }\n"},
          {"shared.sops", sealed("shared.sops", "shared-value")}};
}

TEST(EncryptedFiles, AnEnvironmentsValuesFileKeepsItsEnding) {
  auto with_key = options(true);
  with_key.templates.environment = "prod";
  const std::map<std::string, std::string> files = {
      {"apps/x/skep.yaml", "template: t\nvalues: [values.yaml, values.sops.yaml]\n"},
      {"apps/x/values.yaml", "a: plain\nb: plain\nc: plain\n"},
      {"apps/x/values.sops.yaml", sealed("values.sops.yaml", "b: sealed\nc: sealed\n")},
      {"templates/t/templates/app.yml",
       "services: {web: {image: 'x:{{ .Values.a }}-{{ .Values.b }}-{{ .Values.c }}'}}\n"}};
  const auto image = [&](const std::string& path, const std::string& text) {
    auto all = files;
    all[path] = text;
    const auto state = load(all, with_key);
    const auto& stack = *state.stacks.front();
    if (stack.broken()) return to_string(stack.findings);
    return stack.spec.services.at("web").spec.task_template.container.image;
  };
  for (const auto* name : {"values.prod.sops.yaml", "values.sops.prod.yaml"}) {
    const auto path = std::string("apps/x/") + name;
    EXPECT_EQ(image(path, sealed(name, "c: prod\n")), "x:plain-sealed-prod") << name;
    EXPECT_THAT(image(path, "c: prod\n"), HasSubstr("the file's name says that it is encrypted"))
        << name;
  }
}

TEST(EncryptedFiles, AreReadWhereverAFileMayBe) {
  const auto with_key = options(true);
  const auto state = load(everywhere(), with_key);
  const auto& stack = *state.stacks.front();
  ASSERT_FALSE(stack.broken()) << to_string(stack.findings);
  EXPECT_THAT(environment(state),
              AllOf(Contains("URL=postgres://correct-horse@db"), Contains("TOKEN=battery-staple")));
  EXPECT_EQ(stack.spec.secrets.at("db").data.reveal(), "s3cret-bytes\n");
  EXPECT_EQ(stack.spec.configs.at("app").data, "user: someone-else\nport: 5432\n");
  ASSERT_EQ(state.secrets.size(), 1U) << to_string(state.findings);
  EXPECT_EQ(state.secrets.front().data.reveal(), "shared-value");
  const auto& set = *with_key.decryption->redaction;
  for (const auto* value :
       {"correct-horse", "battery-staple", "s3cret-bytes", "someone-else", "shared-value", "5432"})
    EXPECT_TRUE(set.reveals(value)) << value;
  EXPECT_FALSE(set.reveals("overwritten"));
}

TEST(EncryptedFiles, WhereTheStandInCannotStandSomethingOfTheRightFormDoes) {
  std::map<std::string, std::string> files = {
      {"apps/x/docker-compose.yml",
       "services:\n  web:\n    image: \"nginx:${TAG}\"\n    ports: [\"${PORT}:80\"]\n"
       "    environment: [\"PW=${PW}\"]\n    stop_grace_period: \"${GRACE}\"\n"
       "    networks: [n]\n    healthcheck: {test: x, interval: \"${EVERY}s\"}\n"
       "    deploy:\n      replicas: \"${REPLICAS}\"\n"
       "      resources:\n        limits:\n          cpus: \"${CPUS}\"\n"
       "          memory: \"${MEMORY}\"\n"
       "networks:\n  n: {name: \"${NET}\"}\n"},
      {"apps/x/.env.sops",
       sealed(".env.sops",
              "TAG=1\nPORT=8080\nPW=correct-horse\nGRACE=10s\nEVERY=5\nREPLICAS=2\nCPUS=0.5\n"
              "MEMORY=64M\nNET=front\n")}};
  EXPECT_FALSE(load(files, options(true)).stacks.front()->broken());
  const auto state = load(files, options(false, true));
  const auto& stack = *state.stacks.front();
  ASSERT_FALSE(stack.broken()) << to_string(stack.findings);
  EXPECT_THAT(to_string(stack.findings),
              AllOf(HasSubstr("docker-compose.yml:4:13: warning: PORT was not checked: it is "
                              "encrypted, and there is no age key"),
                    HasSubstr("REPLICAS was not checked"),
                    Not(HasSubstr("PW was not checked"))));
  EXPECT_THAT(environment(state), Contains("PW=***"));
  files["apps/x/docker-compose.yml"] += "  m: {driver: bridge, ipam: 5}\n";
  EXPECT_TRUE(load(files, options(false, true)).stacks.front()->broken());
}

TEST(EncryptedFiles, WithoutAKeyTheStackIsThereWithOtherStandInsToo) {
  const std::map<std::string, std::string> files = {
      {"apps/x/docker-compose.yml",
       one_service("a:1") + "    environment: { PORT: \"${PORT}\", LEVEL: info }\n"
                            "    stop_grace_period: \"${GRACE}\"\n"},
      {"apps/x/.env.sops", sealed(".env.sops", "PORT=8080\nGRACE=10s\n")}};
  EXPECT_EQ(load(files, options(true)).stacks.front()->with_other_stand_ins, nullptr);
  const auto state = load(files, options(false, true));
  const auto& stack = *state.stacks.front();
  ASSERT_NE(stack.with_other_stand_ins, nullptr);
  const auto grace = [](const DesiredStack& one) {
    return one.spec.services.at("web").spec.task_template.container.stop_grace_period;
  };
  EXPECT_NE(grace(stack), grace(*stack.with_other_stand_ins));
  EXPECT_EQ(environment(state),
            stack.with_other_stand_ins->spec.services.at("web").spec.task_template.container.env);
}

TEST(EncryptedFiles, TheStandInsReachTheFilesThatAStackExtendsAndIncludes) {
  std::map<std::string, std::string> files = {
      {"apps/x/docker-compose.yml",
       "include: [more.yml]\n"
       "services:\n  web:\n    extends: {file: ../../base.yml, service: base}\n"},
      {"apps/x/more.yml", "services:\n  side:\n    image: a\n    ports: [\"${PORT}:80\"]\n"},
      {"base.yml",
       sealed("base.yml",
              "services:\n  base:\n    image: b\n    stop_grace_period: 10s\n"
              "    deploy: {replicas: 2}\n")},
      {"apps/x/.env.sops", sealed(".env.sops", "PORT=8080\n")}};
  ASSERT_FALSE(load(files, options(true)).stacks.front()->broken())
      << to_string(load(files, options(true)).stacks.front()->findings);
  const auto state = load(files, options(false, true));
  const auto& stack = *state.stacks.front();
  ASSERT_FALSE(stack.broken()) << to_string(stack.findings);
  EXPECT_THAT(to_string(stack.findings),
              AllOf(HasSubstr("apps/x/more.yml:4:13: warning: PORT was not checked"),
                    HasSubstr("base.yml:4:24: warning: a value here was not checked")));
}

/// Encrypted as a whole, whatever is in it.
std::string sealed_whole(const std::string& path, const std::string& plain) {
  auto file = sops::encrypt(
      plain, path, sops::Format::binary, {{key().recipient()}, {}, "2026-01-02T03:04:05Z"});
  EXPECT_TRUE(file) << file.error().message;
  return *file;
}

TEST(EncryptedFiles, WhatIsReadOutOfADecryptedValueIsMaskedToo) {
  const std::string lines =
      "DQ=\"hunter2 secret\"\nSQ='hunter3secret'\nCM=hunter4secret # note\n"
      "ES=\"hunter5\\\"secret\"\nexport EX=hunter6secret\nON=true\nPIN='4711'\n";
  for (const bool whole : {false, true}) {
    const auto shut = whole ? sealed_whole : sealed;
    for (const auto* place : {".env.sops", "more.env"}) {
      std::string compose = one_service("a:1");
      compose += place == std::string_view("more.env")
                     ? "    env_file: [more.env]\n"
                     : "    environment: {DQ: $DQ, SQ: $SQ, CM: $CM, ES: $ES, PIN: $PIN}\n";
      const auto with_key = options(true);
      const auto state = load({{"apps/x/docker-compose.yml", compose},
                               {std::string("apps/x/") + place, shut(place, lines)}},
                              with_key);
      const auto& set = *with_key.decryption->redaction;
      const auto trouble = to_string(state.stacks.front()->findings);
      if (place == std::string_view(".env.sops")) {
        EXPECT_THAT(environment(state), Contains("DQ=hunter2 secret"));
        for (const auto* name : {"DQ", "SQ", "CM", "ES", "PIN"})
          EXPECT_THAT(trouble, HasSubstr(std::string("environment: ") + name + " of service web"));
      }
      for (const auto* value : {"hunter2 secret",
                                "hunter3secret",
                                "hunter4secret",
                                "hunter5\"secret",
                                "hunter6secret",
                                "4711"})
        EXPECT_TRUE(set.reveals(value)) << value << " of " << place << whole;
      if (whole) {
        EXPECT_FALSE(set.reveals("it is true"));
      }
    }
  }
}

TEST(EncryptedFiles, TheTextsOfAFileThatWasEncryptedAsAWholeAreMasked) {
  const auto with_key = options(true);
  const auto state =
      load({{"apps/x/skep.yaml", "compose: [stack.sops]\n"},
            {"apps/x/stack.sops",
             sealed_whole("stack.sops",
                          "services: {web: {image: 'a:1', environment: {PW: hunter2secret, "
                          "URL: \"x://hunter3\\x41\"}}}\n")}},
           with_key);
  EXPECT_THAT(environment(state),
              AllOf(Contains("PW=hunter2secret"), Contains("URL=x://hunter3A")));
  EXPECT_EQ(with_key.decryption->redaction->mask("PW is hunter2secret or x://hunter3A"),
            "PW is *** or ***");
}

TEST(EncryptedFiles, NoMessageQuotesAShortSecretOrAPartOfOne) {
  const auto message = [](const std::string& compose) {
    const auto state =
        load({{"apps/x/docker-compose.yml", compose},
              {"apps/x/.env.sops", sealed(".env.sops", "PW=xk9qz\nLONG=hunter2secret\n")}},
             options(true));
    EXPECT_TRUE(state.stacks.front()->broken());
    return to_string(state.stacks.front()->findings);
  };
  EXPECT_THAT(message(one_service("a:1") + "    deploy: {restart_policy: {condition: $PW}}\n"),
              AllOf(Not(HasSubstr("xk9qz")),
                    HasSubstr("docker-compose.yml:4"),
                    HasSubstr("it would quote a decrypted value")));
  EXPECT_THAT(message(one_service("a:1") + "    deploy: {resources: {limits: {memory: $LONG}}}\n"),
              AllOf(Not(HasSubstr("hunter")), HasSubstr("parsing \"***\"")));
}

/// What is said of a stack that is made from a template with encrypted values.
std::string said_of(const std::string& values, const std::string& rendered) {
  const auto state = load({{"apps/x/skep.yaml", "template: t\nvalues: [values.sops.yaml]\n"},
                           {"apps/x/values.sops.yaml", sealed("values.sops.yaml", values)},
                           {"templates/t/templates/a.yml", rendered}},
                          options(true));
  return to_string(state.stacks.front()->findings);
}

TEST(EncryptedFiles, ADollarInAValueShowsNothingOfWhatFollowsIt) {
  const std::string plain =
      "services:\n  web:\n    image: a:1\n    environment:\n      PW: {{ .Values.pw | quote }}\n";
  const std::string as_yaml =
      "services:\n  web:\n    image: a:1\n    environment: {{- toYaml .Values.env | nindent 6 }}\n";
  for (const auto* value : {"Pa$sW0rdX9tail", "Pa${sW0rdX9tail", "a ${sW0rdX9tail:?must 77} b"}) {
    for (const auto& said : {said_of("pw: '" + std::string(value) + "'\n", plain),
                             said_of("env: {PW: '" + std::string(value) + "'}\n", as_yaml)}) {
      EXPECT_THAT(said, AllOf(Not(HasSubstr("sW0rd")), Not(HasSubstr("tail")))) << value;
      EXPECT_THAT(said, HasSubstr("services.web.environment.PW: ")) << value;
    }
  }
  EXPECT_THAT(said_of("pw: Pa$sW0rdX9tail\n", plain),
              HasSubstr("environment.PW: variable *** is not set; set it in .env"));
}

TEST(EncryptedFiles, ARenderedLineIsMaskedBeforeItIsCut) {
  std::string token;
  for (int i = 0; i < 60; ++i) token += "k" + std::to_string(i * 7919);
  const std::string text =
      "services: {web: {image: a:1, enviroment: {X: '{{ repeat 12 \"padding \" }}', TOKEN: {{ "
      ".Values.pw }}}}}\n";
  for (const auto& pw : {token, token.substr(0, 40)}) {
    const auto said = said_of("pw: " + pw + "\n", text);
    EXPECT_THAT(said, AllOf(HasSubstr("the rendered line is: services"), HasSubstr("enviroment")));
    EXPECT_THAT(said, Not(HasSubstr(pw.substr(0, 6))));
  }
}

TEST(EncryptedFiles, NoRenderedLineIsShownThatHoldsAPieceOfAValueOnSeveralLines) {
  const std::string env =
      "services:\n  web:\n    image: a:1\n    environment:\n"
      "      {{- toYaml .Values.env | nindent 6 }}\n";
  const std::string begin = "Server=tcp:db.example.com,1433; Initial Catalog=shop; Persist ";
  for (const auto& value :
       {begin + "Security Info=False; User ID=rw; Password=Zx9${kQw-7;",
        begin + "Security  \\\"Info=\\x07;  User ID=rw;  Password=Zx9${kQw-7;"}) {
    const auto said = said_of("env: {CONN: \"" + value + "\"}\n", env);
    EXPECT_THAT(
        said, AllOf(HasSubstr("environment.CONN"), Not(HasSubstr("Zx9")), Not(HasSubstr("1433"))));
    EXPECT_THAT(said, AllOf(Not(HasSubstr("kQw")), Not(HasSubstr("rendered line"))));
  }
  // A line within the value: what stands below it is no key.
  const auto broken =
      said_of("env: {CONN: \"one first-words\\ntwo hidden7\\n\"}\n",
              "services:\n  web:\n    image: a:1\n    labels: {a: b}}\n{{ .Values.env.CONN }}\n");
  EXPECT_THAT(broken, AllOf(HasSubstr("error"), Not(HasSubstr("hidden7"))));
}

TEST(EncryptedFiles, APartIsHiddenInSmallLettersAndWithoutQuotesWhereItsValueStands) {
  const auto said = [](const std::string& compose) {
    const auto state =
        load({{"apps/x/docker-compose.yml", one_service("a:1") + compose},
              {"apps/x/.env.sops",
               sealed(".env.sops", "LONG=xQ7LongCanaryqv9981\nSLASH=sl/ash+Qp:99@x?y\n")}},
             options(true));
    return to_string(state.stacks.front()->findings);
  };
  EXPECT_THAT(said("    ports: [{target: 80, protocol: $LONG}]\n"),
              AllOf(HasSubstr("protocol"), Not(HasSubstr("canary"))));
  EXPECT_THAT(said("    hostname: \"$LONG\"\n  b:\n    image: \"foo:${SLASH}\"\n"),
              AllOf(HasSubstr("repository name"), Not(HasSubstr("ash+Qp"))));
  EXPECT_THAT(said("    volumes: [\"$SLASH\"]\n"),
              AllOf(HasSubstr("directory"), Not(HasSubstr("ash+Qp")), Not(HasSubstr("99@x"))));
}

TEST(EncryptedFiles, WordsOfAPassphraseStayInMessagesAboutOtherPlaces) {
  const auto state = load(
      {{"apps/x/docker-compose.yml",
        one_service("a:1") + "    environment: {PW: $PW}\n    nonsense: 1\n"},
       {"apps/x/.env.sops", sealed(".env.sops", "PW=the property services not allowed secret\n")}},
      options(true));
  EXPECT_THAT(to_string(state.stacks.front()->findings),
              AllOf(HasSubstr("services.web Additional property nonsense is not allowed"),
                    HasSubstr("environment: PW of service web holds a decrypted value"),
                    HasSubstr("give it to the service as a secret")));
}

TEST(EncryptedFiles, AValueThatEndsInTheEnvironmentIsRemarkedOnWithoutTheValue) {
  const auto state = load(everywhere(), options(true));
  const auto text = to_string(state.stacks.front()->findings);
  EXPECT_THAT(text, AllOf(HasSubstr("environment: URL of service web"), HasSubstr("TOKEN")));
  EXPECT_THAT(text, Not(AnyOf(HasSubstr("correct-horse"), HasSubstr("battery"))));
}

TEST(EncryptedFiles, WithoutAKeyALookShowsPlaceholdersAndChecksTheRest_Attack27) {
  auto files = everywhere();
  const auto state = load(files, options(false, true));
  const auto& stack = *state.stacks.front();
  EXPECT_FALSE(stack.broken()) << to_string(stack.findings);
  EXPECT_THAT(environment(state), Contains("URL=postgres://***@db"));
  EXPECT_THAT(to_string(stack.findings), HasSubstr("apps/x/.env.sops: warning"));
  files["apps/x/docker-compose.yml"] += "nonsense: 1\n";
  EXPECT_TRUE(load(files, options(false, true)).stacks.front()->broken());
}

TEST(EncryptedFiles, WithoutAKeyApplyingIsAnErrorOfThatStackOnly) {
  auto files = everywhere();
  files.erase("skep.yaml");
  files["apps/y/docker-compose.yml"] = one_service("a:1");
  const auto state = load(files, options(false));
  EXPECT_TRUE(state.stacks[0]->broken());
  EXPECT_THAT(to_string(state.stacks[0]->findings), HasSubstr("no age key"));
  EXPECT_FALSE(state.stacks[1]->broken());
  EXPECT_FALSE(state.broken());
}

TEST(EncryptedFiles, ATamperedFileIsAnErrorWithItsLineAndNoPlainText) {
  for (const auto* path : {"apps/x/.env.sops", "apps/x/more.env", "apps/x/app.sops.yaml"}) {
    auto files = everywhere();
    auto& text = files[path];
    const auto at = text.find("data:") + 5;
    text[at] = text[at] == 'A' ? 'B' : 'A';
    const auto state = load(files, options(true));
    EXPECT_TRUE(state.stacks.front()->broken()) << path;
    const auto findings = to_string(state.stacks.front()->findings);
    EXPECT_THAT(findings, AllOf(HasSubstr(std::string(path) + ":1:"), HasSubstr("was changed")));
    EXPECT_THAT(findings, Not(HasSubstr("battery-staple")));
  }
}

TEST(EncryptedFiles, AFileThatIsNamedEncryptedButIsNotIsRefused) {
  auto files = everywhere();
  files["apps/x/db.sops"] = "plain-password\n";
  const auto state = load(files, options(true));
  EXPECT_TRUE(state.stacks.front()->broken());
  EXPECT_THAT(to_string(state.stacks.front()->findings),
              AllOf(HasSubstr("apps/x/db.sops"), Not(HasSubstr("plain-password"))));
}

TEST(EncryptedFiles, SettingsAreNotEncrypted) {
  const auto state = load({{"apps/x/docker-compose.yml", one_service("a:1")},
                           {"apps/x/skep.yaml", sealed("skep.yaml", "sync: manual\n")}},
                          options(true));
  EXPECT_TRUE(state.stacks.front()->broken());
  EXPECT_THAT(to_string(state.stacks.front()->findings), HasSubstr("must not be encrypted"));
}

}  // namespace
}  // namespace skep::repository
