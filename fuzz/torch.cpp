#include "formats/module_list.h"
#include "formats/torch/object_text.h"
#include "fuzz/read_all.h"
#include "lanthorn/checkpoint.h"

namespace lanthorn {

extern const Format format_torch;

namespace {

/// What `inspect`, `diff` and a training loop make of the objects.
void walk(const ObjectTree& tree) {
  const auto entries = list_objects(tree);
  if (entries) {
    for (const ObjectEntry& entry : *entries) {
      if (object_text(tree, entry.id).size() > 300) __builtin_trap();
      (void)object_type(tree, entry.id);
    }
  }
  (void)list_modules(tree);
  if (const auto checkpoint = checkpoint_of(tree)) (void)checkpoint_tree(*checkpoint);
}

}  // namespace
}  // namespace lanthorn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto contents = lanthorn::read_all(lanthorn::format_torch, bytes);
  if (contents && contents->objects) lanthorn::walk(*contents->objects);
  return 0;
}
