#include "kernels/array_kernels.h"
#include "kernels/isa/norm.h"
#include "kernels/isa/reduce.h"
#include "kernels/isa/transpose.h"

namespace lanthorn {
namespace LAN_ISA {

extern const RowKernels row_kernels;
const RowKernels row_kernels = {
    .softmax = softmax,
    .softmax_columns = softmax_columns,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .reduce_rows = reduce_rows,
    .reduce_columns = reduce_columns,
    .max_of_taps = max_of_taps,
    .sum_of_taps = sum_of_taps,
    .transpose = transpose,
};

}  // namespace LAN_ISA
}  // namespace lanthorn
