#pragma once

#include <cstddef>
#include <functional>
#include <utility>

namespace skep::compose {

/// The order that Go's sort.Slice leaves, equal elements included. Up to twelve elements that is
/// the stable one; beyond, it is what pattern-defeating quicksort happens to do, always the same
/// for the same input. The Docker CLI sorts published ports with it (rule C8.2), and another order
/// of equal ones would be another Spec.
class GoSort {
 public:
  using Less = std::function<bool(std::size_t, std::size_t)>;
  using Swap = std::function<void(std::size_t, std::size_t)>;

  /// Both take indices of what is being sorted.
  GoSort(Less less, Swap swap) : less_(std::move(less)), swap_(std::move(swap)) {}
  void run(std::size_t count);

 private:
  using Index = std::ptrdiff_t;
  enum class Hint { unknown, increasing, decreasing };
  struct Pivot {
    Index at;
    Hint hint;
  };
  struct Partition {
    Index middle;
    bool was_partitioned;
  };

  [[nodiscard]] bool less(Index a, Index b) const;
  void swap(Index a, Index b);
  void insertion(Index begin, Index end);
  void heap(Index begin, Index end);
  void sift_down(Index low, Index high, Index first);
  void quick(Index begin, Index end, int limit);
  void break_patterns(Index begin, Index end);
  [[nodiscard]] Pivot choose_pivot(Index begin, Index end) const;
  [[nodiscard]] Index median(Index a, Index b, Index c, int& swaps) const;
  bool partial_insertion(Index begin, Index end);
  Index partition_equal(Index begin, Index end, Index pivot);
  Partition partition(Index begin, Index end, Index pivot);

  Less less_;
  Swap swap_;
};

}  // namespace skep::compose
