#pragma once

#include <cstddef>

#include "base/cpu.h"
#include "kernels/array_kernels.h"
#include "kernels/conv_kernels.h"
#include "kernels/gemm_kernels.h"
#include "kernels/low_precision_kernels.h"

namespace lanthorn {

/// The loops of one instruction set: plain functions over raw contiguous float32 memory, that know
/// no graph, take no lock and allocate nothing. Pointers need no alignment unless said otherwise.
struct KernelTable {
  IsaLevel level;
  const GemmKernels* gemm;
  const ConvKernels* conv;
  const ElementwiseKernels* elementwise;
  const RowKernels* rows;
  const LowPrecisionKernels* low_precision;
};

/// The kernels compiled for `level`. Only for levels of this machine's architecture (checked);
/// calling them on a processor without the instructions ends the process.
const KernelTable& kernels(IsaLevel level);

}  // namespace lanthorn
