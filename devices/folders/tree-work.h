#pragma once
// A folder's tree as the loop sees it: work goes to the executor for files, and nothing of the tree is used elsewhere.

#include "core/loop/executor.h"
#include "storage/folder/file-tree.h"

#include <optional>

namespace hearth::devices {

class TreeWork final {
 public:
  // The executor outlives this object.
  TreeWork(Executor& executor, kj::Own<storage::FileTree> tree)
      : executor(executor),
        tree(kj::mv(tree)) {}

  // Runs `f(FileTree&)` on the executor, in a batch, and gives what it gives. What it throws passes through.
  template <typename F>
  kj::Promise<std::invoke_result_t<F&, storage::FileTree&>> run(F f) {
    std::optional<std::invoke_result_t<F&, storage::FileTree&>> result;
    co_await executor.execute([&]() {
      storage::FileTree::Batch batch(*tree);
      result.emplace(f(*tree));
    });
    co_return kj::mv(*result);
  }

 private:
  Executor& executor;
  kj::Own<storage::FileTree> tree;
};

}  // namespace hearth::devices
