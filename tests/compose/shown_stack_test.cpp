#include "compose/shown_stack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "swarm/json.hpp"
#include "tests/compose/fixture.hpp"

namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Hides what has the canary in it, by name or by value.
std::string hide(std::string_view name, const std::string& value) {
  const bool hidden =
      name.find("PW") != std::string_view::npos || value.find("canary") != std::string::npos;
  return hidden ? "***" : value;
}

TEST(ShownStack, HidesEverywhereWhatTheTextHides) {
  auto loader = relaxed();
  const auto output =
      loader.load({web("environment: {DB_PW: short, URL: 'http://u:canary@db', PLAIN: seen}\n"
                       "labels: {a: canary, b: seen}\ncommand: [--password=canary, seen]\n"
                       "entrypoint: [run, canary]\nhealthcheck: {test: [CMD, canary]}\n"
                       "logging: {driver: x, options: {o: canary}}\nsysctls: {s: canary}\n"
                       "volumes: ['v:/v']\nnetworks: {n: {driver_opts: {o: canary}}}\n"
                       "deploy: {labels: {c: canary}}",
                       "configs: {c: {content: 'password=canary', labels: {l: canary}}}\n"
                       "volumes: {v: {driver: d, driver_opts: {o: canary}, labels: {l: canary}}}\n"
                       "networks: {n: {driver_opts: {o: canary}, labels: {l: canary}}}")});
  ASSERT_EQ(errors(output), "");
  const auto stack = shown(output.stack, hide);
  const auto& service = stack.services.at("web").spec;
  const auto text = swarm::to_json(service) + swarm::to_json(stack.networks.at("n"));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
  EXPECT_THAT(text, HasSubstr("DB_PW=***"));
  EXPECT_THAT(text, HasSubstr("PLAIN=seen"));
  EXPECT_EQ(stack.configs.at("c").data, "***");
  EXPECT_EQ(stack.configs.at("c").labels.at("l"), "***");
  EXPECT_EQ(shown(output.stack, {}), output.stack);
}

TEST(ShownStack, TheTextNeverShowsTheContentOfASecret) {
  Loader loader;
  Input input;
  input.stack = *swarm::StackName::parse("s");
  input.files = {{"a.yml", web("", "secrets: {s: {environment: PW}}\nconfigs: {c: {content: k}}")}};
  input.working_directory = "/D";
  input.environment = {{"PW", "any text"}};
  input.reader = &loader.reader;
  input.strict = false;
  input.keep_file = true;
  const auto output = load(input);
  ASSERT_EQ(errors(output), "");
  TextOptions options;
  EXPECT_THAT(to_text(*output.file, output.version, options), HasSubstr("any text"));
  options.show = hide;
  const auto text = to_text(*output.file, output.version, options);
  EXPECT_THAT(text, Not(HasSubstr("any text")));
  EXPECT_THAT(text, HasSubstr("content: \"***\""));
  EXPECT_THAT(text, HasSubstr("content: k"));
}

}  // namespace
}  // namespace skep::compose::testing
