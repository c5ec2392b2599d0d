#pragma once

#include "model/model_impl.h"

namespace lanthorn {

/// Why a file of weights or a pickled model cannot run, what is missing and what to do:
/// kUnsupported.
Error no_program_error(const Model::Impl& model);

}  // namespace lanthorn
