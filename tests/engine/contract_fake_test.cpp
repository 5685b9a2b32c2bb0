#include "tests/engine/contract.hpp"
#include "tests/fakes/fake_engine.hpp"

namespace skep::engine_contract {
namespace {

struct OnFake {
  static void prepare() {}
  static ports::Engine& engine() {
    static fakes::FakeEngine fake;
    return fake;
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, EngineContract, OnFake);

}  // namespace
}  // namespace skep::engine_contract
