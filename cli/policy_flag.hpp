#pragma once

#include <string>

#include "cli/command.hpp"
#include "core/result.hpp"
#include "reconciler/access/access_policy.hpp"

namespace skep::cli {

/// `--policy-file`: what stacks may ask of the engine (docs/policy.md).
void add_policy_flag(Command& app, std::string& file);
/// The default policy where there is no file. Errors: invalid_input, positioned; unavailable where
/// the file cannot be read.
Result<reconciler::AccessPolicy> read_access_policy(const std::string& file);

}  // namespace skep::cli
