#include "engine/socket_engine.hpp"
#include "tests/engine/contract.hpp"
#include "tests/lab/lab.hpp"

namespace skep::engine_contract {
namespace {

struct OnSocket {
  static void prepare() { SKEP_NEEDS_ENGINE(lab::LabEngine::shared()); }
  static ports::Engine& engine() {
    static engine::SocketEngine socket(engine::EngineOptions{
        .endpoint = {.socket = lab::LabEngine::shared().socket(), .address = {}, .tls = {}}});
    return socket;
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Socket, EngineContract, OnSocket);

}  // namespace
}  // namespace skep::engine_contract
