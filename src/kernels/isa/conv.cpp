#include "kernels/conv_kernels.h"

#include "kernels/isa/depthwise.h"
#include "kernels/isa/grouped.h"
#include "kernels/isa/winograd.h"

namespace lanthorn {
namespace LAN_ISA {

extern const ConvKernels conv_kernels;
const ConvKernels conv_kernels = {
    .lanes = kLanes,
    .grouped = grouped,
    .depthwise_row = depthwise_row,
    .winograd_input = winograd_input,
    .winograd_output = winograd_output,
    .winograd_weights = winograd_weights,
    .finish_row = finish_row,
};

}  // namespace LAN_ISA
}  // namespace lanthorn
