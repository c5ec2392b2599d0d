#include "script/aten/loss_shared.h"

namespace lanthorn::script {

Result<Value> reduced(Emitter& e, ValueId loss, const Dim& reduction) {
  LAN_TRY(const int64_t kind, e.lowering().concrete(reduction));
  if (kind == 0) return e.result(loss);
  return e.result(e.reduce(kind == 1 ? "ReduceMean" : "ReduceSum", loss, {}, false));
}

ValueId p_norm(Emitter& e, ValueId x, double p, int64_t axis, bool keep) {
  const DType dtype = e.dtype(x);
  if (p == 2) return e.reduce("ReduceL2", x, {axis}, keep);
  if (p == 1) return e.reduce("ReduceL1", x, {axis}, keep);
  if (p > 1e300) return e.reduce("ReduceMax", e.op("Abs", {x}), {axis}, keep);
  if (p == 0) {
    const ValueId some = e.cast(e.op("Not", {e.op("Equal", {x, e.number(0, dtype)})}), dtype);
    return e.reduce("ReduceSum", some, {axis}, keep);
  }
  const ValueId sum = e.reduce("ReduceSum", e.op("Pow", {e.op("Abs", {x}), e.number(p, dtype)}), {axis}, keep);
  return e.op("Pow", {sum, e.number(1 / p, dtype)});
}

}  // namespace lanthorn::script
