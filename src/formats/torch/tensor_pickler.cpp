// How torch.save writes tensors: torch/_tensor.py (__reduce_ex__) and torch/_utils.py.

#include "formats/flat_tensors.h"
#include "formats/torch/object_pickler.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;

constexpr std::string_view kParameter = "torch.nn.parameter.Parameter";

}  // namespace

Status ObjectPickler::save_tensor(ObjectId id) {
  const Object& object = tree_[id];
  const bool parameter = object.text == kParameter;
  const bool has_state = parameter && object.state != kNoObject;
  if (parameter) {
    writer_.global("torch._utils",
                   has_state ? "_rebuild_parameter_with_state" : "_rebuild_parameter");
    if (has_state) writer_.op('(');
  }
  Status status = object.text.starts_with("sparse_") && object.arguments != kNoObject
                      ? save_sparse(object)
                  : is_quantized(object.tensor.dtype()) ? save_quantized(object)
                                                        : save_strided(object);
  LAN_OK(std::move(status));
  if (parameter) {
    // The tensor inside is an object of its own.
    writer_.put();
    writer_.boolean(object.requires_grad);
    save_hooks();
    if (has_state) LAN_OK(save(object.state));
    writer_.close_tuple(has_state ? 4 : 3);
    writer_.put();
    writer_.op('R');
  }
  remember(id);
  return ok();
}

/// _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks), or _v3, which names the
/// dtype of an untyped storage.
Status ObjectPickler::save_strided(const Object& object) {
  LAN_TRY(const StorageTable::Place place, storages_.place(object.tensor));
  const bool untyped = storage_class(place.dtype).empty();
  writer_.global("torch._utils", untyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
  writer_.op('(');
  save_storage(place);
  writer_.integer(place.offset);
  save_sizes(object.tensor.shape());
  save_sizes(place.strides);
  writer_.boolean(object.requires_grad && object.text != kParameter);
  save_hooks();
  if (untyped) writer_.global("torch", dtype_name(place.dtype));
  writer_.op('t');
  writer_.put();
  writer_.op('R');
  return ok();
}

/// _rebuild_qtensor(storage, offset, sizes, strides, quantizer, requires_grad, hooks).
Status ObjectPickler::save_quantized(const Object& object) {
  LAN_TRY(const StorageTable::Place place, storages_.place(object.tensor));
  const Object* quantizer = object.arguments == kNoObject ? nullptr : &tree_[object.arguments];
  writer_.global("torch._utils", "_rebuild_qtensor");
  writer_.op('(');
  save_storage(place);
  writer_.integer(place.offset);
  save_sizes(object.tensor.shape());
  save_sizes(place.strides);
  if (quantizer == nullptr || quantizer->kind != Kind::kTuple || quantizer->items.size() < 3) {
    // Bits whose meaning is not known are the numbers themselves.
    writer_.global("torch", "per_tensor_affine");
    writer_.real(1);
    writer_.integer(0);
    writer_.close_tuple(3);
  } else {
    const auto& items = quantizer->items;
    if (items.size() > 3) writer_.op('(');
    save_name(tree_[items[0]].text);
    for (size_t i = 1; i < items.size(); ++i) LAN_OK(save(items[i]));
    writer_.close_tuple(items.size());
  }
  writer_.put();
  writer_.boolean(object.requires_grad);
  save_hooks();
  writer_.op('t');
  writer_.put();
  writer_.op('R');
  return ok();
}

/// _rebuild_sparse_tensor(layout, (tensors..., size[, coalesced])); the parts are in `arguments`.
Status ObjectPickler::save_sparse(const Object& object) {
  writer_.global("torch._utils", "_rebuild_sparse_tensor");
  writer_.global("torch.serialization", "_get_layout");
  writer_.literal("torch." + object.text);
  writer_.close_tuple(1);
  writer_.put();
  writer_.op('R');
  writer_.put();
  LAN_OK(save(object.arguments));
  writer_.close_tuple(2);
  writer_.put();
  writer_.op('R');
  return ok();
}

}  // namespace lanthorn
